"""Watching what is served."""
