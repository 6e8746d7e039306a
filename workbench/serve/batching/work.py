"""One request's samples on their way through a model, and several of them as one run."""

from __future__ import annotations

import time
from bisect import bisect_left
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.serve.arrival import Arrival

    Array = np.ndarray[Any, Any]
    Feeds = Mapping[str, Array]
    Arrays = dict[str, Array]


class Answer(Protocol):
    """Where the outputs or the error of a work go: a future, or what answers without one; it never raises."""

    def done(self) -> bool:
        """Tell whether it was answered or given up."""

    def set_result(self, outputs: Arrays, /) -> None:
        """Take the outputs."""

    def set_exception(self, error: Exception, /) -> None:
        """Take the error."""


class Work:
    """What one request wants answered.

    Attributes:
        feeds: Arrays by input.
        size: Samples.
        key: Works with the same one can share a run.
        deadline: When the answer is of no use any more, on the clock of `time.monotonic()`; infinite for never.
        answer: Where its outputs or its error go.
        begun: When it came, on the clock of `time.perf_counter()`.
        outcome: What its run gave; None before, or where it was given up.
        ended: When its run was over, on the same clock; 0 before.
        arrival: How its request came in; None where nobody asks.
    """

    __slots__ = ("answer", "arrival", "begun", "deadline", "ended", "feeds", "key", "outcome", "size")

    def __init__(self, feeds: Feeds, size: int, key: object, deadline: float, answer: Answer) -> None:
        self.feeds = feeds
        self.size = size
        self.key = key
        self.deadline = deadline
        self.begun = time.perf_counter()
        self.answer = answer
        self.outcome: Arrays | Exception | None = None
        self.ended = 0.0
        self.arrival: Arrival | None = None


def sharing_key(feeds: Feeds) -> object:
    """Return what must be equal for two requests' arrays to be put into one: all sizes but the first, and the types."""
    if len(feeds) == 1:
        for array in feeds.values():
            return array.shape[1:], array.dtype
    return tuple([(name, array.shape[1:], array.dtype) for name, array in sorted(feeds.items())])


def common_size(feeds: Feeds) -> int | None:
    """Return the number of samples that all arrays hold; None where they differ, or one has no first axis."""
    found = None
    for array in feeds.values():
        if not array.ndim or found not in (None, array.shape[0]):
            return None
        found = array.shape[0]
    return found


def joined(works: Sequence[Work], padding: int) -> Feeds:
    """Return the arrays of several works as one, with the last sample repeated for padding."""
    if len(works) == 1 and not padding:
        return works[0].feeds
    feeds = {}
    for name in works[0].feeds:
        parts = [work.feeds[name] for work in works]
        if padding:
            parts.append(np.repeat(parts[-1][-1:], padding, axis=0))
        feeds[name] = np.concatenate(parts)
    return feeds


def shared_out(outputs: Arrays, works: Sequence[Work], padding: int) -> list[Arrays] | None:
    """Return each work's part of the outputs; None where an output is not as long as the inputs were."""
    total = sum(work.size for work in works) + padding
    if any(not array.ndim or array.shape[0] != total for array in outputs.values()):
        return None
    found, start = [], 0
    for work in works:
        end = start + work.size
        found.append({name: array[start:end] for name, array in outputs.items()})
        start = end
    return found


def padding_of(size: int, allowed: Sequence[int]) -> int:
    """Return how many samples are missing to the next allowed batch size; none where there is no such size."""
    index = bisect_left(allowed, size)
    return allowed[index] - size if index < len(allowed) else 0
