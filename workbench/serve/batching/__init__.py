"""How requests that come at the same time share a run."""

from workbench.serve.batching.settings import Batching

__all__ = ["Batching"]
