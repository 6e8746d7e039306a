"""Asking a server from Python: arrays in, arrays out, over any of the protocols."""

from workbench.serve.client.face import VersionStatus
from workbench.serve.client.model_client import Client, client
from workbench.serve.client.retries import Retries

__all__ = ["Client", "Retries", "VersionStatus", "client"]
