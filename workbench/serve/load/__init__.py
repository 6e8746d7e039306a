"""A load generator: how a server does when it is asked a lot."""

from workbench.serve.load.settings import LoadSettings
from workbench.serve.load.target import LoadTarget, run_load
from workbench.serve.load.verb import load

__all__ = ["LoadSettings", "LoadTarget", "load", "run_load"]
