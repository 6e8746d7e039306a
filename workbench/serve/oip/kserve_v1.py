"""KServe's V1 form, whose model status is not TensorFlow Serving's, on a port of its own with the rest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import orjson

from workbench.serve.models import Target
from workbench.serve.oip.metadata import is_ready
from workbench.serve.rest.replies import Reply, error_reply, json_reply
from workbench.serve.status import Code

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from workbench.serve.models import Models

_REFUSED = (Code.UNAUTHENTICATED.http, Code.PERMISSION_DENIED.http)
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
        path = ""
        if scope["type"] == "http" and scope["method"] == "GET":
            path = scope["raw_path"].decode("latin-1").partition("?")[0]
        if path == "/":
            await _ok({"status": "alive"}).send(send)
            return
        reply = self._answer(path)
        if reply is None:
            await self._rest(scope, receive, send)
            return
        # The REST door knows who may ask: where it refuses, that is the answer.
        said: list[Message] = []
        await self._rest(scope, receive, _keeping(said))
        if said and said[0]["status"] in _REFUSED:
            for message in said:
                await send(message)
            return
        await reply.send(send)

    def _answer(self, path: str) -> Reply | None:
        if path == "/v1/models":
            return _ok({"models": self._models.names()})
        match = _MODEL.fullmatch(path)
        return None if match is None else self._status(unquote(match[1]))

    def _status(self, name: str) -> Reply:
        ready = is_ready(self._models, Target(name))
        if ready is None:
            return error_reply(Code.NOT_FOUND, f"Model with name {name} does not exist.")
        if not ready:
            return error_reply(Code.UNAVAILABLE, f"Model with name {name} is not ready.")
        return _ok({"name": name, "ready": True})


def _ok(document: dict[str, Any]) -> Reply:
    return json_reply(Code.OK, orjson.dumps(document))


def _keeping(messages: list[Message]) -> Send:
    async def keep(message: Message) -> None:
        messages.append(message)

    return keep
