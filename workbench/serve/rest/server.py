"""uvicorn, set up as the REST ports need it."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import uvicorn

from workbench.serve.rest.connection import HttpConnection
from workbench.serve.rest.guarded import Guarded
from workbench.serve.security import ssl_context

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from workbench.serve.limits import Limits
    from workbench.serve.security import Security

BACKLOG = 2048
"""Connections that may wait to be accepted."""

_FILES = 512  # what else a process has open


def http_config(app: ASGIApp, limits: Limits, security: Security, *, drain_seconds: float = 5.0) -> uvicorn.Config:
    """Return the settings of one HTTP port.

    Args:
        app: What answers.
        limits: What a connection may do.
        security: Its certificate makes the port speak TLS.
        drain_seconds: Time that requests in flight have to be answered when the server ends.

    Raises:
        BadInputError: A certificate's file is not usable.
    """
    context = ssl_context(security)
    express = app.express if isinstance(app, Guarded) else None
    _allow_files(limits.connections)
    config = uvicorn.Config(
        app,
        http=cast("Any", partial(HttpConnection, limits=limits, express=express)),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=max(1, round(drain_seconds)),
    )
    config.load()
    config.ssl = context
    return config


def _allow_files(connections: int) -> None:
    """Let this process have as many connections as it may; many systems allow 1024 files where nobody asks for more."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = min(2 * connections + _FILES, hard) if hard != resource.RLIM_INFINITY else 2 * connections + _FILES
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
