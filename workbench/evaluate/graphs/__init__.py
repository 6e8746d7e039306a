"""Readers of the graph in a model file, one a format, none with a framework: what `diff` compares."""
