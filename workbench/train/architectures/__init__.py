"""Architectures: one network a file, sized to the dataset that it is built for."""
