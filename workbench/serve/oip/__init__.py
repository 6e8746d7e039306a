"""The Open Inference Protocol (v2) of KServe and Triton: REST with the binary tensor extension, and gRPC."""
