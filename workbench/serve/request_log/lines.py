"""What was kept of requests while they were answered, as lines of the log: many at once, in a thread of their own."""

from __future__ import annotations

import base64
import hashlib
import io
import secrets
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from workbench.core.sketch import VALUES, sketch, top
from workbench.serve.status import Code, as_request_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from workbench.serve.arrival import Arrival
    from workbench.serve.servable import Servable

    Array = np.ndarray[Any, Any]
    Arrays = Mapping[str, Array]

SAMPLES = 64
"""Samples of a request that are looked at, at most."""

_ID_LENGTH = 128
_INPUT_BYTES = 1 << 20  # of one request; longer ones are not kept
_TOGETHER = 256  # requests whose samples are sketched in one go
_RANK, _CLASSES = 2, 2
_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE


class Entry:
    """One request as it was answered.

    Attributes:
        name: Model name.
        version: Version that answered.
        arrival: How it came in; None where nobody said.
        feeds: Its inputs.
        outcome: The answer, or why there is none; None where it was given up.
        begun: When it began to wait for its run, on the clock of `time.perf_counter()`.
        ended: When its run was over, on the same clock; 0 where there was none.
        end: When it was answered, on the same clock.
    """

    __slots__ = ("arrival", "begun", "end", "ended", "feeds", "name", "outcome", "version")

    def __init__(
        self,
        servable: Servable,
        arrival: Arrival | None,
        feeds: Arrays,
        outcome: Arrays | Exception | None,
        begun: float,
        ended: float,
    ) -> None:
        self.name = servable.name
        self.version = servable.version
        self.arrival = arrival
        self.feeds = feeds
        self.outcome = outcome
        self.begun = begun
        self.ended = ended
        self.end = time.perf_counter()

    @property
    def outputs(self) -> Arrays:
        """The answer; empty where there is none."""
        return {} if self.outcome is None or isinstance(self.outcome, Exception) else self.outcome

    @property
    def code(self) -> Code:
        """How it went."""
        if self.outcome is None:
            return Code.CANCELLED
        return as_request_error(self.outcome).code if isinstance(self.outcome, Exception) else Code.OK


class Lines:
    """Writes the lines of one worker."""

    def __init__(self, key_header: str, *, inputs: bool) -> None:
        """Know what to write.

        Args:
            key_header: Header that tells clients apart.
            inputs: Write the inputs too.
        """
        self._key_header = key_header
        self._inputs = inputs
        self._prefix = secrets.token_hex(6)
        self._written = 0

    def of(self, entries: Sequence[Entry]) -> list[bytes]:
        """Return the lines of requests, each with its end, in their order."""
        # The loop's clock is nobody's outside.
        offset = time.time() - time.perf_counter()
        found = [self._facts(entry, offset) for entry in entries]
        for which in _alike(entries):
            _look([entries[at] for at in which], [found[at] for at in which])
        return [orjson.dumps(facts, option=_OPTIONS) for facts in found]

    def _facts(self, entry: Entry, offset: float) -> dict[str, Any]:
        asked = entry.arrival
        facts: dict[str, Any] = {
            "id": self._id(asked), "time": round(entry.end + offset, 6), "model": entry.name, "version": entry.version,
            "api": "" if asked is None else asked.api,
            "seconds": round(entry.end - (entry.begun if asked is None else asked.begun), 7),
            "run_seconds": round((entry.ended or entry.end) - entry.begun, 7),
            "examples": _examples(entry.feeds), "code": entry.code.name,
        }  # fmt: skip
        if asked is not None and (key := asked.header(self._key_header)):
            facts["key"] = hashlib.blake2b(key.encode(), digest_size=8).hexdigest()
        if self._inputs and sum(array.nbytes for array in entry.feeds.values()) <= _INPUT_BYTES:
            facts["inputs"] = {name: _npy(array) for name, array in entry.feeds.items() if array.dtype != object}
        return facts

    def _id(self, asked: Arrival | None) -> str:
        given = "" if asked is None else asked.header("x-request-id")
        if given:
            return given[:_ID_LENGTH]
        self._written += 1
        return f"{self._prefix}-{self._written:x}"


def _alike(entries: Sequence[Entry]) -> Iterator[list[int]]:
    """Yield the places of requests whose samples can be looked at as one array."""
    groups: dict[Any, list[int]] = {}
    for at, entry in enumerate(entries):
        if not entry.outputs:  # what was refused may be of any shape
            continue
        given, scores = _input(entry.feeds), _scores(entry)
        key = (
            None if given is None else (given.shape[1:], given.dtype),
            None if scores is None else (scores.shape[1:], scores.dtype),
        )
        groups.setdefault(key, []).append(at)
    for group in groups.values():
        for start in range(0, len(group), _TOGETHER):
            yield group[start : start + _TOGETHER]


def _look(entries: Sequence[Entry], found: Sequence[dict[str, Any]]) -> None:
    """Add what the samples of requests that are alike look like, and what their answers say."""
    given = [array[:SAMPLES] for entry in entries if (array := _input(entry.feeds)) is not None]
    if given:
        for facts, rows in zip(found, _shared_out(sketch(np.concatenate(given)), given), strict=True):
            facts["features"] = rows
    scores = [array[:SAMPLES] for entry in entries if (array := _scores(entry)) is not None]
    if scores:
        said = top(np.concatenate(scores))
        for name, values in zip(("predictions", "confidence", "margin"), said, strict=True):
            for facts, rows in zip(found, _shared_out(values, scores), strict=True):
                facts[name] = rows
    for entry, facts in zip(entries, found, strict=True):
        first = _scores(entry) if scores else _first(entry.outputs)
        if first is not None and len(first):
            facts["outputs"] = np.ascontiguousarray(first[0].reshape(-1)[:VALUES], np.float32)


def _shared_out(values: Array, parts: Sequence[Array]) -> Iterator[Array]:
    start = 0
    for part in parts:
        yield values[start : start + len(part)]
        start += len(part)


def _input(feeds: Arrays) -> Array | None:
    if len(feeds) != 1:
        return None
    array = next(iter(feeds.values()))
    return array if array.ndim and array.dtype.kind in "fiub" else None


def _scores(entry: Entry) -> Array | None:
    """Return the one output that holds a score for each class."""
    size = _examples(entry.feeds)
    found = [
        array
        for array in entry.outputs.values()
        if array.dtype.kind == "f" and array.ndim == _RANK and array.shape[0] == size and array.shape[1] >= _CLASSES
    ]
    return found[0] if len(found) == 1 else None


def _first(outputs: Arrays) -> Array | None:
    return next((array for array in outputs.values() if array.ndim and array.dtype.kind in "fiub"), None)


def _examples(feeds: Arrays) -> int:
    return max([array.shape[0] for array in feeds.values() if array.ndim], default=1)


def _npy(array: Array) -> str:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return base64.b64encode(file.getvalue()).decode()
