"""The road: train, gate, compress, convert, serve, watch — with the loop back to training."""
