"""What is answered while values flood in: the newest value, and never an older one after it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    Work = Callable[[Callable[[], bool]], Any]
    Background = Callable[[Callable[[], Any], Callable[[Any], None], Callable[[BaseException], None]], None]


class _Asked(NamedTuple):
    number: int
    work: Work
    then: Callable[[Any], None]
    failed: Callable[[BaseException], None]
    pause: float


class Latest:
    """One piece of work runs, one waits; whatever was asked for in between is dropped.

    A piece that runs is never cut off before its first answer, so a finger that does not rest is answered all the
    same; once it has answered, a newer one ends it.
    """

    def __init__(self, background: Background, closed: Callable[[], bool]) -> None:
        """Begin with nothing to do.

        Args:
            background: Starts a thread, as `Live.background` does.
            closed: Says that nobody wants to know any more.
        """
        self._background, self._closed = background, closed
        self._changed = threading.Condition()
        self._waiting: _Asked | None = None
        self._number = 0
        self._running = False

    def ask(
        self,
        work: Work,
        then: Callable[[Any], None],
        failed: Callable[[BaseException], None],
        *,
        pause: float = 0.0,
    ) -> None:
        """Have a piece of work done, unless a newer one is asked for before its turn comes.

        Args:
            work: Called in a thread with a function that says whether it is outdated. What it returns goes to `then`;
                where that is an iterator, each of its values does.
            then: Gets the answers.
            failed: Gets the error.
            pause: Seconds for which nothing newer may be asked for before the work begins.
        """
        with self._changed:
            self._number += 1
            self._waiting = _Asked(self._number, work, then, failed, pause)
            self._changed.notify_all()
            if self._running:
                return
            self._running = True
        self._background(self._run, lambda _none: None, failed)

    def forget(self) -> None:
        """Drop what waits, and let what runs end after the answer that it is at."""
        with self._changed:
            self._number += 1
            self._waiting = None
            self._changed.notify_all()

    def _run(self) -> None:
        while (asked := self._next()) is not None:
            try:
                self._answer(asked)
            except Exception as error:  # noqa: BLE001 - shown in the panel's error strip
                asked.failed(error)

    def _next(self) -> _Asked | None:
        """Return what waits, once nobody has asked for anything newer for long enough."""
        with self._changed:
            while self._waiting is not None and not self._closed():
                asked = self._waiting
                if not asked.pause or not self._changed.wait_for(lambda: self._waiting is not asked, asked.pause):  # noqa: B023 - it is called before the next turn only
                    self._waiting = None
                    return asked
            self._running = False
            return None

    def _answer(self, asked: _Asked) -> None:
        answered = 0

        def outdated() -> bool:
            return self._closed() or (answered > 0 and asked.number != self._number)

        value = asked.work(outdated)
        if not hasattr(value, "__next__"):
            asked.then(value)
            return
        try:
            for each in value:
                asked.then(each)
                answered += 1
                if outdated():
                    return
        finally:
            if hasattr(value, "close"):
                value.close()
