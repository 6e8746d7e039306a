"""Events become traits: the only place that touches threads.

An app (one panel alone, or one dashboard) has one `Live`. Its reader thread looks ten times a second at the runs that
are followed and hands over what is new, under the app's lock; whatever blocks (asking for a job, waiting for one) runs
in a background thread. Callbacks of a page may come on any thread, so they take the same lock.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any

from workbench.jobs.state import FINAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.core.events import Event, EventReader
    from workbench.jobs import Job

_log = logging.getLogger(__name__)

_SECONDS_BETWEEN_LOOKS = 0.1
_SECONDS_BETWEEN_QUESTIONS = 1.0
_SECONDS_TO_END = 5.0


@dataclass
class _Followed:
    job: Job
    reader: EventReader
    tell: Callable[[list[Event], str], None]
    failed: Callable[[BaseException], None]
    state: str = ""
    due: float = 0.0
    unread: bool = False
    untold: list[Event] = field(default_factory=list)


@dataclass
class _Watch:
    look: Callable[[], None]
    every: float
    due: float = 0.0


class Live:
    """Reader and background threads of one app.

    Attributes:
        lock: Held whenever traits of the app change; re-entrant.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._followed: list[_Followed] = []
        self._watches: list[_Watch] = []
        self._stop = threading.Event()
        self._reader: threading.Thread | None = None
        self._workers: set[threading.Thread] = set()

    def follow(
        self, job: Job, tell: Callable[[list[Event], str], None], failed: Callable[[BaseException], None]
    ) -> Callable[[], None]:
        """Tell what happens in a run, from its beginning until it has ended.

        Args:
            job: Whose events.
            tell: Called with the new events and the state, at most ten times a second, only when there is news.
            failed: Gets the error when the run cannot be read, once until it can be again; the looking goes on.

        Returns:
            A function that stops following.
        """
        one = _Followed(job, job.events(), tell, failed)
        self._look(one)
        if one.state not in FINAL:
            with self.lock:
                self._followed.append(one)
            self._ensure_reader()
        return lambda: self._forget(one)

    def watch(self, look: Callable[[], None], every: float) -> None:
        """Call a cheap function every so many seconds."""
        with self.lock:
            self._watches.append(_Watch(look, every))
        self._ensure_reader()

    def background(
        self, work: Callable[[], Any], then: Callable[[Any], None], failed: Callable[[BaseException], None]
    ) -> None:
        """Do something that blocks elsewhere, and come back with its value or its error.

        Args:
            work: What blocks.
            then: Gets the value; takes the lock itself where it changes traits.
            failed: Gets the error, likewise.
        """
        if self.closed:
            return
        # A daemon of its own: whatever it waits for must not keep the interpreter from ending.
        worker = threading.Thread(
            target=self._work, args=(work, then, failed), name="workbench-background", daemon=True
        )
        # Under the lock: whoever ends the app waits for all that have begun, and only for these.
        with self.lock:
            if not self.closed:
                self._workers.add(worker)
                worker.start()

    def close(self) -> None:
        """End all threads; jobs go on."""
        self._stop.set()
        with self.lock:
            threads = {*self._workers, *([self._reader] if self._reader else [])}
        for thread in threads - {threading.current_thread()}:
            thread.join(_SECONDS_TO_END)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._stop.is_set()

    def _work(
        self, work: Callable[[], Any], then: Callable[[Any], None], failed: Callable[[BaseException], None]
    ) -> None:
        try:
            value = work()
        except Exception as error:  # noqa: BLE001 - shown in the panel's error strip
            failed(error)
        else:
            then(value)
        finally:
            with self.lock:
                self._workers.discard(threading.current_thread())

    def _ensure_reader(self) -> None:
        with self.lock:
            if self._reader is None and not self._stop.is_set():
                self._reader = threading.Thread(target=self._read, name="workbench-reader", daemon=True)
                self._reader.start()

    def _read(self) -> None:
        while not self._stop.wait(_SECONDS_BETWEEN_LOOKS):
            for one in tuple(self._followed):
                self._look(one)
                if one.state in FINAL:
                    self._forget(one)
            for watch in tuple(self._watches):
                if monotonic() >= watch.due:
                    watch.due = monotonic() + watch.every
                    with self.lock:
                        self._attempt(watch)

    def _attempt(self, watch: _Watch) -> None:
        try:
            watch.look()
        except Exception:  # noqa: BLE001 - said in the log
            # One that fails must not keep the others from being called.
            _log.exception("a watch failed")

    def _look(self, one: _Followed) -> None:
        try:
            state = self._state(one)
        except Exception as error:  # noqa: BLE001 - a thread that ends here would freeze the page silently
            if not one.unread:
                one.unread = True
                one.failed(error)
            return
        one.unread = False
        if one.untold or state != one.state:
            with self.lock:
                one.state, events, one.untold = state, one.untold, []
                if not self.closed:
                    one.tell(events, state)

    def _state(self, one: _Followed) -> str:
        """Read on, keeping what was read if the rest fails, and return the state."""
        one.untold += one.reader.read()
        # A run says itself how it turns; whether its process is still there is asked less often.
        if all(event.type != "state" for event in one.untold) and monotonic() < one.due:
            return one.state
        one.due = monotonic() + _SECONDS_BETWEEN_QUESTIONS
        state = one.job.state
        if state in FINAL:
            one.untold += one.reader.read()
        return state

    def _forget(self, one: _Followed) -> None:
        with self.lock:
            if one in self._followed:
                self._followed.remove(one)
