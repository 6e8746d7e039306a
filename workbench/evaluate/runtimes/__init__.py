"""Engines that answer for a model file, one a format, all with the same face."""

from workbench.evaluate.runtimes.base import Runtime, TensorSpec, open_runtime, runtimes

__all__ = ["Runtime", "TensorSpec", "open_runtime", "runtimes"]
