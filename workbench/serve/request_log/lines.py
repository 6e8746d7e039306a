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
    from collections.abc import Mapping, Sequence

    from workbench.serve.arrival import Arrival
    from workbench.serve.servable import Servable

    Array = np.ndarray[Any, Any]
    Arrays = Mapping[str, Array]

SAMPLES = 64
"""Samples of a request that are looked at, at most."""

_ID_LENGTH = 128
_INPUT_BYTES = 1 << 20  # of one request; longer ones are not kept
_NUMBERS = "fiub"  # kinds of NumPy's types
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
        seen = [_Seen(entry) for entry in entries]
        found = [self._facts(entry, one.size, offset) for entry, one in zip(entries, seen, strict=True)]
        groups: dict[Any, list[int]] = {}
        for at, one in enumerate(seen):
            if one.kind is not None:
                groups.setdefault(one.kind, []).append(at)
        for group in groups.values():
            _look([seen[at] for at in group], [found[at] for at in group])
        return [orjson.dumps(facts, option=_OPTIONS) for facts in found]

    def _facts(self, entry: Entry, size: int, offset: float) -> dict[str, Any]:
        asked = entry.arrival
        name, key = self._names(asked)
        begun = entry.begun if asked is None else asked.begun
        facts: dict[str, Any] = {
            "id": name, "time": _rounded(entry.end + offset), "model": entry.name, "version": entry.version,
            "api": "" if asked is None else asked.api, "seconds": _rounded(entry.end - begun),
            "run_seconds": _rounded((entry.ended or entry.end) - entry.begun), "examples": size,
            "code": entry.code.name,
        }  # fmt: skip
        if key:
            facts["key"] = hashlib.blake2b(key.encode(), digest_size=8).hexdigest()
        if self._inputs and sum(array.nbytes for array in entry.feeds.values()) <= _INPUT_BYTES:
            facts["inputs"] = {name: _npy(array) for name, array in entry.feeds.items() if array.dtype != object}
        return facts

    def _names(self, asked: Arrival | None) -> tuple[str, str]:
        """Return the request's id and the key of its client."""
        given = key = ""
        if asked is not None:
            given, key = asked.header("x-request-id"), asked.header(self._key_header)
        if given:
            return given[:_ID_LENGTH], key
        self._written += 1
        return f"{self._prefix}-{self._written:x}", key


class _Seen:
    """What there is to look at in a request.

    Attributes:
        size: Samples.
        given: Its one input of numbers, None where it has no such.
        scores: The one output that holds a score for each class.
        kind: Requests with the same one can be looked at together; None where there is nothing to look at.
        outputs: The answer.
    """

    __slots__ = ("given", "kind", "outputs", "scores", "size")

    def __init__(self, entry: Entry) -> None:
        self.given: Array | None = None
        self.scores: Array | None = None
        self.kind: Any = None
        self.outputs = entry.outputs
        self.size = 1
        for array in entry.feeds.values():
            if array.ndim:
                self.size = max(self.size, array.shape[0])
                self.given = array
        if not self.outputs:  # what was refused may be of any shape
            return
        if len(entry.feeds) != 1 or (self.given is not None and self.given.dtype.kind not in _NUMBERS):
            self.given = None
        found = [array for array in self.outputs.values() if self._is_scores(array)]
        self.scores = found[0] if len(found) == 1 else None
        self.kind = (
            None if self.given is None else (self.given.shape[1:], self.given.dtype),
            None if self.scores is None else self.scores.shape[1],
        )

    def _is_scores(self, array: Array) -> bool:
        return (
            array.ndim == _RANK
            and array.shape[0] == self.size
            and array.shape[1] >= _CLASSES
            and array.dtype.kind == "f"
        )


def _look(seen: Sequence[_Seen], found: Sequence[dict[str, Any]]) -> None:
    """Add what the samples of requests that are alike look like, and what their answers say."""
    given = [one.given[:SAMPLES] for one in seen if one.given is not None]
    if given:
        _share_out(found, "features", sketch(np.concatenate(given)), given)
    scores = [one.scores[:SAMPLES] for one in seen if one.scores is not None]
    if not scores:
        for one, facts in zip(seen, found, strict=True):
            if (first := _first(one.outputs)) is not None:
                facts["outputs"] = np.ascontiguousarray(first[0].reshape(-1)[:VALUES], np.float32)
        return
    every = np.concatenate(scores, dtype=np.float32)
    for name, values in zip(("predictions", "confidence", "margin"), top(every), strict=True):
        _share_out(found, name, values, scores)
    start, shown = 0, np.ascontiguousarray(every[:, :VALUES])
    for facts, part in zip(found, scores, strict=True):
        if len(part):
            facts["outputs"] = shown[start]
        start += len(part)


def _share_out(found: Sequence[dict[str, Any]], name: str, values: Array, parts: Sequence[Array]) -> None:
    start = 0
    for facts, part in zip(found, parts, strict=True):
        end = start + len(part)
        facts[name] = values[start:end]
        start = end


def _first(outputs: Arrays) -> Array | None:
    return next((one for one in outputs.values() if one.ndim and len(one) and one.dtype.kind in _NUMBERS), None)


def _rounded(seconds: float) -> float:
    return int(seconds * 1e6) / 1e6  # a tenth of what `round` costs


def _npy(array: Array) -> str:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return base64.b64encode(file.getvalue()).decode()
