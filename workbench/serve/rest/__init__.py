"""The REST door: TensorFlow Serving's URLs and JSON, a thin ASGI application over the inference core."""
