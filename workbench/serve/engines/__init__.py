"""What answers behind a servable: one file a format."""

from workbench.serve.engines.base import Engine, ModelFile, engines
from workbench.serve.engines.opening import open_engine

__all__ = ["Engine", "ModelFile", "engines", "open_engine"]
