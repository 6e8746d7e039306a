"""The original, `tensorflow_model_server`: the same store and options for it, started where it is installed."""
