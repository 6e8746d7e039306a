"""Looks that follow one another until somebody ends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import logging
    import threading
    from collections.abc import Callable

Report = TypeVar("Report")


def look_until(
    stop: threading.Event,
    look: Callable[[], Report],
    on_report: Callable[[Report], object] | None,
    *,
    seconds: float,
    log: logging.Logger,
) -> None:
    """Look again and again; what goes wrong in a look is logged, and the next one follows.

    Args:
        stop: Set to end.
        look: Looks once.
        on_report: Called with each look's report, here.
        seconds: Between two looks.
        log: Where it is said what went wrong.
    """
    while not stop.is_set():
        try:
            report = look()
            if on_report is not None:
                on_report(report)
        except Exception:
            # Whatever it was, the server must not be left alone.
            log.exception("A look at the server failed.")
        stop.wait(seconds)
