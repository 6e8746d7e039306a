"""The old place of `workbench.serve.engines`."""

from workbench.serve.engines import Engine, open_engine

__all__ = ["Engine", "open_engine"]
