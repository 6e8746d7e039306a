"""How a server is doing, in one record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.serve.client import Client

if TYPE_CHECKING:
    from workbench.core.records import ServingStats
    from workbench.serve.sandbox import Sandbox


def health(server: Sandbox | str, model: str = "model") -> ServingStats:
    """Return what a server has counted: requests, errors, latency percentiles of the last answers, uptime.

    Args:
        server: A running sandbox, or a server's URL.
        model: Model name; a sandbox knows its own.

    Raises:
        ServingError: It does not answer, or does not serve the model.
    """
    if not isinstance(server, str):
        return server.stats()
    client = Client(server, model)
    try:
        return client.stats()
    finally:
        client.close()
