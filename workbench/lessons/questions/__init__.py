"""Questions to predict the answer of: one a file."""
