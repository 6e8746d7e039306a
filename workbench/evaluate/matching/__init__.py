"""Which nodes and weights of two graphs are the same ones, and how they differ."""
