"""The gRPC door: TensorFlow Serving's services on messages of our own, a thin layer over the inference core.

Inside this package `import grpc` is still grpcio: imports here are absolute.
"""
