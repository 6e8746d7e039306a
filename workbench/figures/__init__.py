"""Record to plotly Figure, one figure a file. Facts come first: test the record, look at the picture."""
