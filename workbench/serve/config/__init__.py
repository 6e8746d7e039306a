"""TensorFlow Serving's configuration files: text protos read into settings, and written."""
