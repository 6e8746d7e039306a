"""How the request that is being answered came in: its door and what its client sent beside it.

A door says it once, before anything is looked up or run; whoever needs it (the request log, a rollout) asks for it in
the same task, or in the same call on the short way. Nothing is read of it until somebody asks.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Headers = Iterable[tuple[Any, Any]]

SHADOW = "SHADOW"
"""The door of a copy of a request whose answer no client sees."""


class Arrival:
    """One request's way in.

    Attributes:
        api: Door, one of `tallies.APIS`, or `SHADOW`.
        begun: When it came, on the clock of `time.perf_counter()`.
    """

    __slots__ = ("_headers", "api", "begun")

    def __init__(self, api: str, headers: Headers | Callable[[], Headers] = (), begun: float | None = None) -> None:
        """Note an arrival.

        Args:
            api: Door.
            headers: Names in small letters and values, bytes or text; or what returns them while the request lives.
            begun: When it came; now where None.
        """
        self.api = api
        self.begun = time.perf_counter() if begun is None else begun
        self._headers = headers

    @property
    def headers(self) -> Headers:
        """What the client sent beside its request, read once."""
        if callable(self._headers):
            self._headers = self._headers() or ()
        return self._headers

    def header(self, name: str) -> str:
        """Return the first value under a name (small letters), empty where there is none."""
        raw = name.encode()
        for key, value in self.headers:
            if key in (raw, name):
                return value.decode("latin-1") if isinstance(value, bytes) else str(value)
        return ""


_arrival: ContextVar[Arrival | None] = ContextVar("arrival", default=None)


def arrive(arrival: Arrival) -> None:
    """Say how the request of this task came in."""
    _arrival.set(arrival)


def arrived() -> Arrival | None:
    """Return how it came in; None where nobody said."""
    return _arrival.get()
