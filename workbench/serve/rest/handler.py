"""What the server answers, independent of the web framework: bytes in, status and bytes out."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from workbench.serve.example_results import read_classes, read_values
from workbench.serve.rest import replies
from workbench.serve.rest.examples_body import read_examples
from workbench.serve.rest.express import Plan
from workbench.serve.rest.json_depth import check_depth
from workbench.serve.rest.json_read import parse_object
from workbench.serve.rest.json_read_fast import read_fast
from workbench.serve.rest.json_write import (
    write_classes,
    write_error,
    write_outputs,
    write_predictions,
    write_values,
)
from workbench.serve.rest.metadata import metadata_json, status_json
from workbench.serve.rest.predict_body import read_predict
from workbench.serve.rest.routes import Route, route
from workbench.serve.status import Code, RequestError, as_request_error, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from workbench.serve.counters import Counters
    from workbench.serve.inference import Inference
    from workbench.serve.models import Models, Target
    from workbench.serve.rest.express import Headers
    from workbench.serve.rest.json_read_fast import FastBody
    from workbench.serve.rest.predict_body import PredictBody
    from workbench.serve.servable import Servable

    Array = np.ndarray[Any, Any]

_INLINE_BYTES = 32 * 1024  # a longer body is read in a thread: it would keep the loop from all others
_INLINE_FAST_BYTES = 128 * 1024  # the same, where it can be read the fast way
_LONGEST_KNOWN_PATH = 256
_INFERENCE = ("predict", "classify", "regress")
_known_route = lru_cache(maxsize=256)(route)
_KINDS = {"classify": "classification", "regress": "regression"}


@dataclass(frozen=True)
class Reply:
    """An answer: its code and its JSON body."""

    code: Code
    body: bytes


class Handler:
    """TensorFlow Serving's REST predict, status and metadata."""

    def __init__(self, inference: Inference, *, json_depth: int = 64) -> None:
        self._inference = inference
        self._json_depth = json_depth
        self._models = inference.models
        self._counters = inference.counters

    async def __call__(self, method: str, path: str, body: bytes) -> Reply:
        """Answer one request; never raises.

        Args:
            method: HTTP method.
            path: Path as it was sent, percent-encoded, without the query.
            body: Inflated body, empty where there is none.
        """
        name, inferring = "", False
        try:
            asked = _known_route(method, path) if len(path) <= _LONGEST_KNOWN_PATH else route(method, path)
            name, inferring = asked.target.name, asked.verb in _INFERENCE
            reply = Reply(Code.OK, await self._answer(asked, body))
        except Exception as error:  # noqa: BLE001 - a request must never end the server
            reply = refuse(as_request_error(error))
        self._counters.count_request(name, reply.code.name)
        if inferring and reply.code is not Code.OK:
            self._counters.count_error(name)
        return reply

    def plan(self, path: str, headers: Headers, body: bytes) -> Plan | None:
        """Read a predict request for the short way; None, or an error, where it is not of the common form."""
        del headers
        asked = _known_route("POST", path)
        if asked.verb != "predict":
            return None
        servable = self._inference.choose(asked.target)
        read = read_fast(body, servable.signature)
        if read is None:
            return None
        write = _reply_by_row if read.by_row else _reply_by_column
        return Plan(servable, read.feeds, read.signature, _examples(read.feeds), "REST", write)

    async def _answer(self, asked: Route, body: bytes) -> bytes:
        if asked.verb == "status":
            return status_json(self._models.listed(asked.target))
        if asked.verb == "metadata":
            return metadata_json(self._models.find(asked.target))
        if asked.verb == "predict":
            return await self._predict(asked.target, body)
        return await self._on_examples(asked, body)

    async def _predict(self, target: Target, body: bytes) -> bytes:
        begin = time.perf_counter()
        try:
            servable = self._inference.choose(target)
        except RequestError:
            # A body that is no JSON is the first thing the original complains about.
            await self._parsed(body)
            raise
        servable.hold()
        try:
            read = await self._read(servable, body)
            before = time.perf_counter()
            outputs = await self._inference.run(servable, read.feeds, read.signature)
        finally:
            servable.let_go()
        ran = time.perf_counter()
        write = write_predictions if read.by_row else write_outputs
        reply = await asyncio.to_thread(write, outputs) if replies.slow_to_write(outputs) else write(outputs)
        end = time.perf_counter()
        self._counters.count_answer(
            servable.name, end - begin, ran - before, _examples(read.feeds), encode_seconds=end - ran
        )
        return reply

    async def _read(self, servable: Servable, body: bytes) -> FastBody | PredictBody:
        fast = None
        if len(body) <= _INLINE_FAST_BYTES:
            fast = read_fast(body, servable.signature)
        if fast is not None:
            return fast
        if len(body) <= _INLINE_BYTES:
            return read_predict(self._parse(body), servable.signature)
        return await asyncio.to_thread(self._read_long, servable, body)

    def _read_long(self, servable: Servable, body: bytes) -> FastBody | PredictBody:
        return read_fast(body, servable.signature) or read_predict(self._parse(body), servable.signature)

    async def _on_examples(self, asked: Route, body: bytes) -> bytes:
        begin = time.perf_counter()
        document = await self._parsed(body)
        servable = self._inference.choose(asked.target)
        short = len(body) <= _INLINE_BYTES
        read = read_examples(document) if short else await asyncio.to_thread(read_examples, document)
        signature = servable.signature(read.signature)
        if signature.method != asked.verb:
            raise invalid(f"No {_KINDS[asked.verb]} inputs found in SignatureDef")
        if len(signature.inputs) != 1:
            raise invalid("Expected one input Tensor.")
        before = time.perf_counter()
        feeds = {signature.inputs[0].name: read.examples}
        outputs = await self._inference.run(servable, feeds, read.signature)
        ran = time.perf_counter()
        if asked.verb == "classify":
            reply = write_classes(read_classes(outputs, len(read.examples)))
        else:
            reply = write_values(read_values(outputs, len(read.examples)))
        self._counters.count_answer(
            servable.name,
            time.perf_counter() - begin,
            ran - before,
            len(read.examples),
            method=asked.verb.capitalize(),
            encode_seconds=time.perf_counter() - ran,
        )
        return reply

    async def _parsed(self, body: bytes) -> dict[str, Any]:
        if len(body) <= _INLINE_BYTES:
            return self._parse(body)
        return await asyncio.to_thread(self._parse, body)

    def _parse(self, body: bytes) -> dict[str, Any]:
        check_depth(body, self._json_depth)
        return parse_object(body)


def _examples(feeds: Mapping[str, Array]) -> int:
    return max([array.shape[0] for array in feeds.values() if array.ndim], default=1)


def _reply_by_row(outputs: Mapping[str, Array]) -> replies.Reply:
    return replies.json_reply(Code.OK, write_predictions(outputs))


def _reply_by_column(outputs: Mapping[str, Array]) -> replies.Reply:
    return replies.json_reply(Code.OK, write_outputs(outputs))


def refuse(error: RequestError) -> Reply:
    """Return the reply for a request that is answered with an error."""
    return Reply(error.code, write_error(error.message))


def health_body(models: Models) -> tuple[Code, bytes]:
    """Return whether every model has a version that answers."""
    if models.loaded():
        return Code.OK, b'{"status":"ready"}'
    return Code.UNAVAILABLE, b'{"status":"loading"}'


def stats_body(models: Models, counters: Counters) -> bytes:
    """Return the counters of every model as `ServingStats` records, `{"models": [...]}`."""
    rows = []
    for name in models.names():
        model = models.model(name)
        available = model.available() if model is not None else []
        version = str(available[-1].version) if available else ""
        rows.append(counters.stats(name, version).to_json())
    return orjson.dumps({"models": rows})
