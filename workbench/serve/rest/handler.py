"""What the server answers, independent of the web framework: bytes in, status and bytes out."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from workbench.serve.rest.json_depth import check_depth
from workbench.serve.rest.json_read import parse_object
from workbench.serve.rest.json_read_fast import read_fast
from workbench.serve.rest.json_write import write_error, write_outputs, write_predictions
from workbench.serve.rest.metadata import metadata_json, status_json
from workbench.serve.rest.predict_body import read_predict
from workbench.serve.rest.routes import Route, route
from workbench.serve.status import Code, RequestError

if TYPE_CHECKING:
    import numpy as np

    from workbench.serve.counters import Counters
    from workbench.serve.inference import Inference
    from workbench.serve.models import Models
    from workbench.serve.servable import Servable
    from workbench.serve.signature import Signature

_INLINE_BYTES = 64 * 1024  # a longer body is read in a thread: it would keep the loop from all others
_log = logging.getLogger(__name__)
_VERBS = {"classify": "classification", "regress": "regression"}


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
        name, predicting = "", False
        try:
            asked = route(method, path)
            name, predicting = asked.target.name, asked.verb == "predict"
            reply = Reply(Code.OK, await self._answer(asked, body))
        except RequestError as error:
            reply = refuse(error)
        except MemoryError:
            reply = refuse(RequestError(Code.RESOURCE_EXHAUSTED, "The request needs more memory than there is"))
        except Exception:  # noqa: BLE001 - a request must never end the server
            _log.exception("internal error")
            reply = refuse(RequestError(Code.INTERNAL, "Internal error; the server's log says more"))
        self._counters.count_request(name, reply.code.name)
        if predicting and reply.code is not Code.OK:
            self._counters.count_error(name)
        return reply

    async def _answer(self, asked: Route, body: bytes) -> bytes:
        if asked.verb == "status":
            return status_json(self._models.listed(asked.target))
        if asked.verb == "metadata":
            return metadata_json(self._models.find(asked.target))
        if asked.verb == "predict":
            return await self._predict(asked, body)
        self._parse(body)
        self._models.find(asked.target)
        raise RequestError(Code.INVALID_ARGUMENT, f"No {_VERBS[asked.verb]} inputs found in SignatureDef")

    async def _predict(self, asked: Route, body: bytes) -> bytes:
        begin = time.perf_counter()
        if len(body) <= _INLINE_BYTES:
            servable, signature, by_row, feeds = self._read(asked, body)
        else:
            servable, signature, by_row, feeds = await asyncio.to_thread(self._read, asked, body)
        before = time.perf_counter()
        outputs = await self._inference.run(servable, feeds, signature)
        run_seconds = time.perf_counter() - before
        reply = write_predictions(outputs) if by_row else write_outputs(outputs)
        examples = max((array.shape[0] for array in feeds.values() if array.ndim), default=1)
        self._counters.count_answer(servable.name, time.perf_counter() - begin, run_seconds, examples)
        return reply

    def _read(self, asked: Route, body: bytes) -> tuple[Servable, str, bool, dict[str, np.ndarray[Any, Any]]]:
        try:
            servable = self._models.find(asked.target)
        except RequestError:
            # A body that is no JSON is the first thing the original complains about.
            self._parse(body)
            raise
        fast = _fast(servable.signature(""), body)
        if fast is not None:
            signature, key, feeds = fast
            servable.signature(signature)
            return servable, signature, key == "instances", feeds
        read = read_predict(self._parse(body), servable.signature)
        return servable, read.signature, read.by_row, read.feeds

    def _parse(self, body: bytes) -> dict[str, Any]:
        check_depth(body, self._json_depth)
        return parse_object(body)


def _fast(signature: Signature, body: bytes) -> tuple[str, str, dict[str, np.ndarray[Any, Any]]] | None:
    if len(signature.inputs) != 1:
        return None
    one = signature.inputs[0]
    read = read_fast(body, one.shape, one.dtype)
    return None if read is None else (read[0] or "", read[1], {one.name: read[2]})


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
