"""One-file HTML from records and figures."""
