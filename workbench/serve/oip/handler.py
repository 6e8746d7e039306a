"""What the protocol's HTTP form answers, independent of the web framework: bytes in, status and bytes out."""

from __future__ import annotations

import asyncio
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from workbench.serve.oip.compression import accepted, compressed
from workbench.serve.oip.infer_reply import write_infer
from workbench.serve.oip.infer_request import read_infer
from workbench.serve.oip.inputs import examples, slow_to_read
from workbench.serve.oip.json_body import parse_object
from workbench.serve.oip.metadata import find, is_ready, model_metadata, repository_index, server_metadata
from workbench.serve.oip.routes import MethodError, Route, route
from workbench.serve.rest.body import TooLargeError
from workbench.serve.rest.express import Plan
from workbench.serve.rest.json_write import write_error
from workbench.serve.rest.replies import Reply, error_reply, slow_to_write
from workbench.serve.signature import DEFAULT
from workbench.serve.status import Code, RequestError, as_request_error, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from workbench.serve.control import Control
    from workbench.serve.inference import Inference
    from workbench.serve.limits import Limits
    from workbench.serve.rest.express import Headers

    Array = np.ndarray[Any, Any]

_INLINE_BYTES = 64 * 1024  # more JSON is read, or written, in a thread: it would keep the loop from all others
_WRONG_METHOD = 405
_TOO_LARGE = 413
_BINARY = b"application/octet-stream"
_HEADER = b"inference-header-content-length"
_COUNTED = ("infer", "metadata")
_known_route = lru_cache(maxsize=256)(route)


class Handler:
    """Health, metadata, inference and model repository of the Open Inference Protocol."""

    def __init__(self, inference: Inference, control: Control, limits: Limits) -> None:
        self._inference = inference
        self._models = inference.models
        self._counters = inference.counters
        self._control = control
        self._limits = limits

    async def __call__(self, method: str, path: str, header: bytes | None, body: bytes) -> Reply:
        """Answer one request; never raises.

        Args:
            method: HTTP method.
            path: Path as it was sent, percent-encoded, without the query.
            header: What `Inference-Header-Content-Length` says, None where it is not sent.
            body: Inflated body, empty where there is none.
        """
        try:
            asked = route(method, path)
        except MethodError as error:
            return Reply(
                _WRONG_METHOD, write_error("Method Not Allowed"), headers=((b"allow", error.allowed.encode()),)
            )
        except RequestError as error:
            return error_reply(error.code, error.message)
        code = Code.OK
        try:
            reply = await self._answer(asked, header, body)
        except TooLargeError as error:
            code, reply = Code.RESOURCE_EXHAUSTED, Reply(_TOO_LARGE, write_error(str(error)))
        except Exception as error:  # noqa: BLE001 - a request must never end the server
            told = as_request_error(error)
            code, reply = told.code, error_reply(told.code, told.message)
        if asked.verb in _COUNTED:
            self._counters.count_request(asked.target.name, code.name)
            if asked.verb == "infer" and code is not Code.OK:
                self._counters.count_error(asked.target.name)
        return reply

    def plan(self, path: str, headers: Headers, body: bytes) -> Plan | None:
        """Read an inference request for the short way; None, or an error, where it is not of the common form."""
        header, accept = None, b""
        for name, value in headers:
            if name == _HEADER:
                header = value
            elif name == b"accept-encoding":
                accept = value
        asked = _known_route("POST", path)
        if asked.verb != "infer":
            return None
        servable = find(self._inference, asked.target, to_run=True)
        signature = servable.signature("")
        if slow_to_read(signature, len(body)):
            return None
        length = _header_length(header, len(body))
        request = read_infer(body, length, servable.name, signature, self._limits.json_depth)

        def write(outputs: Mapping[str, Array]) -> Reply:
            reply = _written(*write_infer(servable, request, outputs))
            encoding = accepted(accept, len(reply.body)) if accept else None
            return reply if encoding is None else compressed(reply, encoding)

        return Plan(servable, request.feeds, DEFAULT, examples(request.feeds), "OIP", write)

    async def _answer(self, asked: Route, header: bytes | None, body: bytes) -> Reply:
        if asked.verb == "infer":
            return await self._infer(asked, header, body)
        if asked.verb == "metadata":
            return _ok(model_metadata(self._inference, asked.target))
        if asked.verb == "ready":
            return self._ready(asked)
        if asked.verb in ("load", "unload"):
            return await self._change(asked, body)
        return self._server(asked.verb, body)

    def _server(self, verb: str, body: bytes) -> Reply:
        if verb == "live":
            return _ok({"live": True})
        if verb == "server_ready":
            ready = self._models.loaded()
            return Reply(Code.OK.http if ready else Code.UNAVAILABLE.http, orjson.dumps({"ready": ready}))
        if verb == "models":
            return _ok({"models": self._models.names()})
        if verb == "index":
            ready = parse_object(body).get("ready", False) if body else False
            if not isinstance(ready, bool):
                raise invalid("Unable to parse 'ready': it must be true or false")
            return _ok(repository_index(self._control, ready=ready))
        return _ok(server_metadata(self._control))

    def _ready(self, asked: Route) -> Reply:
        ready = is_ready(self._models, asked.target)
        if ready is None:
            find(self._inference, asked.target)
        status = Code.OK.http if ready else Code.UNAVAILABLE.http
        return Reply(status, orjson.dumps({"name": asked.target.name, "ready": bool(ready)}))

    async def _change(self, asked: Route, body: bytes) -> Reply:
        if body:
            parse_object(body)
        await (self._control.load if asked.verb == "load" else self._control.unload)(asked.target.name)
        return Reply(Code.OK.http, b"")

    async def _infer(self, asked: Route, header: bytes | None, body: bytes) -> Reply:
        begin = time.perf_counter()
        deadline = time.monotonic() + self._limits.request_seconds
        servable = find(self._inference, asked.target, to_run=True)
        length = _header_length(header, len(body))
        size = len(body) if length is None else length
        self._check_values(body, size)
        signature = servable.signature("")
        what = (body, length, servable.name, signature, self._limits.json_depth)
        if size <= _INLINE_BYTES and not slow_to_read(signature, len(body)):
            request = read_infer(*what)
        else:
            with servable.in_use():  # it must not be unloaded meanwhile
                request = await asyncio.to_thread(read_infer, *what)
        before = time.perf_counter()
        outputs = await self._inference.run(servable, request.feeds, DEFAULT, deadline)
        after = time.perf_counter()
        if slow_to_write(outputs):
            written, header_length = await asyncio.to_thread(write_infer, servable, request, outputs)
        else:
            written, header_length = write_infer(servable, request, outputs)
        end = time.perf_counter()
        self._counters.count_answer(
            servable.name, end - begin, after - before, examples(request.feeds), api="OIP", encode_seconds=end - after
        )
        return _written(written, header_length)

    def _check_values(self, body: bytes, size: int) -> None:
        most = self._limits.values
        if size > 2 * most and body.count(b",", 0, size) >= most:
            raise TooLargeError(f"The request must have at most {most} values")


def _written(body: bytes, header_length: int | None) -> Reply:
    if header_length is None:
        return Reply(Code.OK.http, body)
    return Reply(Code.OK.http, body, _BINARY, ((_HEADER, b"%d" % header_length),))


def _ok(document: Any) -> Reply:
    return Reply(Code.OK.http, orjson.dumps(document))


def _header_length(value: bytes | None, size: int) -> int | None:
    if value is None:
        return None
    text = value.strip()
    if not text.isdigit() or len(text) > len(str(size)) + 8 or int(text) > size:
        shown = text[:32].decode("latin-1")
        raise invalid(f"inference header size should be in range (0, {size}), got: {shown}")
    return int(text)
