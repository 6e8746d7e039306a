"""What every protocol offers to the client: one attempt at a question."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from workbench.core.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.core.records import ServingStats

Array = np.ndarray[Any, Any]

_LONGEST = 600


class VersionStatus(Record):
    """One version as the server tells it; `state` is `AVAILABLE` where it answers, `END` with an error where not."""

    version: int
    state: str
    error: str


@dataclass(frozen=True)
class Who:
    """Which version and signature shall answer; the newest and the default one where not given.

    Attributes:
        headers: Sent beside the question; they are no part of who answers.
    """

    version: int | None = None
    label: str | None = None
    signature: str | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), compare=False)


class RefusedError(Exception):
    """A question that was not answered.

    Attributes:
        status: The server's status as it sent it (`404`, `NOT_FOUND`); empty where it did not answer at all.
        message: The server's own words, or what became of the connection.
        again: Whether asking again may help.
        after: Seconds that the server asks to wait first.
        step: What the caller can do about it; empty where nothing is known to help.
    """

    def __init__(
        self, status: str, message: str, *, again: bool = False, after: float | None = None, step: str = ""
    ) -> None:
        words = " ".join(message.split())
        super().__init__(f"{status} {words}")
        self.status = status
        self.message = words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
        self.again = again
        self.after = after
        self.step = step


class Face(Protocol):
    """A protocol over one connection; may be used from many threads.

    Every method makes one attempt, takes at most `seconds`, and raises `RefusedError`.
    """

    def predict(self, inputs: Array | Mapping[str, Array], who: Who, seconds: float) -> dict[str, Array]:
        """Return the outputs by name."""

    def status(self, seconds: float) -> tuple[VersionStatus, ...]:
        """Return the versions, newest first."""

    def metadata(self, seconds: float) -> dict[str, Any]:
        """Return how the model is called, as this protocol says it."""

    def ready(self, seconds: float) -> bool:
        """Tell whether the model has a version that answers."""

    def stats(self, seconds: float) -> ServingStats:
        """Return what the server has counted."""

    def close(self) -> None:
        """Close the connections."""
