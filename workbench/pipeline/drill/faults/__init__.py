"""The faults, found by their file names."""
