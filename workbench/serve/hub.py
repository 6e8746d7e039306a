"""Where a port of this machine is reached from a browser that came through JupyterHub."""

from __future__ import annotations

import os


def proxied(port: int) -> str | None:
    """Return the address through jupyter-server-proxy, None where there is no hub.

    Args:
        port: A port of this machine.

    Returns:
        A whole URL where the hub knows its own, otherwise a path on the hub's host.
    """
    prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX")
    if not prefix:
        return None
    base = os.environ.get("JUPYTERHUB_PUBLIC_URL") or prefix
    return f"{base.rstrip('/')}/proxy/{port}/"
