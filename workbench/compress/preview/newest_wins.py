"""One thread that always works on what was asked for last."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    Work = Callable[[Callable[[], bool]], None]


class NewestWins:
    """Takes work; a newer piece tells the older one to end and then has its turn, pieces in between are dropped."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._next: Work | None = None
        self._number = 0
        self._closed = False
        self._thread: threading.Thread | None = None

    def ask(self, work: Work) -> None:
        """Have a piece of work done.

        Args:
            work: Called in the thread with a function that says whether it is outdated.

        Raises:
            BadInputError: It was closed.
        """
        with self._changed:
            require_open(not self._closed)
            self._number += 1
            self._next = work
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="preview newest", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """End what is under way and wait for it; safe to call from the work itself."""
        with self._changed:
            self._closed = True
            self._number += 1
            self._changed.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._next is not None or self._closed)
                if self._closed or self._next is None:
                    return
                work, number = self._next, self._number
                self._next = None
            try:
                work(lambda: self._number != number)  # noqa: B023 - it is called before the next turn only
            except Exception as error:  # noqa: BLE001 - a listener's mistake must not end all later answers
                # As Python reports what a thread of its own would raise.
                threading.excepthook(
                    threading.ExceptHookArgs((type(error), error, error.__traceback__, threading.current_thread()))
                )


def require_open(is_open: bool) -> None:  # noqa: FBT001 - the one thing it is about
    """Refuse to work for a slider that was closed.

    Raises:
        BadInputError: It was.
    """
    if not is_open:
        raise BadInputError.of("preview", rule="must be open", got="closed", hint="open it again with `open_preview`")
