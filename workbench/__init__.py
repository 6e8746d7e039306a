"""Lastmile Workbench."""
