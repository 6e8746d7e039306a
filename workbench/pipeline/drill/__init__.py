"""Incidents that are caused on purpose: one fault a file."""
