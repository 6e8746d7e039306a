"""Readers of the constant tensors in a model file, one a format, none with a framework."""
