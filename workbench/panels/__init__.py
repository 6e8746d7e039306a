"""Panels: one a file, each usable alone in one line, all of them talking to jobs by files and events."""
