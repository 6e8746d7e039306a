"""Formulas to move by hand, a file each."""
