"""Exercises: one a file."""
