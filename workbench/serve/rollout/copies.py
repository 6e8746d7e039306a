"""Requests that are run once more, on the other version, when their client has its answer."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections import deque
from typing import TYPE_CHECKING

from workbench.serve.status import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.serve.servable import Servable

_MOST = 32  # that wait; more are dropped
_MOST_BYTES = 16 << 20
_NICE = 10

_log = logging.getLogger(__name__)


class Copies:
    """Runs what it is given one after the other, in a thread that gives way to all that serves clients."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Callable[[], None], tuple[Servable, ...], int]] = deque()
        self._bytes = 0
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def put(self, work: Callable[[], None], held: tuple[Servable, ...], size: int) -> bool:
        """Run a work later; False where too much waits already, or a version of it is gone.

        Args:
            work: What is done.
            held: Versions that it runs, kept loaded until then.
            size: Bytes that it keeps.
        """
        with self._lock:
            if len(self._waiting) >= _MOST or self._bytes + size > _MOST_BYTES:
                return False
            with contextlib.ExitStack() as undo:
                for servable in held:
                    try:
                        servable.hold()
                    except RequestError:
                        return False
                    undo.callback(servable.let_go)
                undo.pop_all()
            self._waiting.append((work, held, size))
            self._bytes += size
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="rollout-copies", daemon=True)
            self._thread.start()
        self._wake.set()
        return True

    def _run(self) -> None:
        with contextlib.suppress(OSError, AttributeError):  # on Linux it is this thread's alone
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        while True:
            self._wake.wait()
            self._wake.clear()
            while self._run_one():
                pass

    def _run_one(self) -> bool:
        with self._lock:
            if not self._waiting:
                return False
            work, held, size = self._waiting.popleft()
            self._bytes -= size
        try:
            work()
        except Exception:  # noqa: BLE001 - the next one is another's
            _log.exception("a copy of a request could not be compared")
        finally:
            for servable in held:
                servable.let_go()
        return True
