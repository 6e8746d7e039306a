"""KServe's V1 form, whose model status is not TensorFlow Serving's, on a port of its own with the rest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import orjson

from workbench.serve.models import Target
from workbench.serve.oip.metadata import is_ready
from workbench.serve.rest.json_write import write_error
from workbench.serve.status import Code

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from workbench.serve.models import Models

_MODEL = re.compile(r"/v1/models/([^/:]+)")


def oip_port_app(models: Models, rest: ASGIApp) -> ASGIApp:
    """Return the ASGI application of the extra port.

    Args:
        models: What is served.
        rest: The REST door: it predicts (V1's form is TensorFlow Serving's) and has `/v2` below it.
    """
    return KServePort(models, rest)


class KServePort:
    """Answers what KServe's V1 means otherwise than TensorFlow Serving, and leaves all else to the REST door."""

    def __init__(self, models: Models, rest: ASGIApp) -> None:
        self._models = models
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        answer = None
        if scope["type"] == "http" and scope["method"] == "GET":
            answer = self._answer(scope["raw_path"].decode("latin-1").partition("?")[0])
        if answer is None:
            await self._rest(scope, receive, send)
            return
        code, body = answer
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": code.http, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _answer(self, path: str) -> tuple[Code, bytes] | None:
        if path == "/":
            return _ok({"status": "alive"})
        if path == "/v1/models":
            return _ok({"models": self._models.names()})
        match = _MODEL.fullmatch(path)
        return None if match is None else self._status(unquote(match[1]))

    def _status(self, name: str) -> tuple[Code, bytes]:
        ready = is_ready(self._models, Target(name))
        if ready is None:
            return Code.NOT_FOUND, write_error(f"Model with name {name} does not exist.")
        if not ready:
            return Code.UNAVAILABLE, write_error(f"Model with name {name} is not ready.")
        return _ok({"name": name, "ready": True})


def _ok(document: dict[str, Any]) -> tuple[Code, bytes]:
    return Code.OK, orjson.dumps(document)
