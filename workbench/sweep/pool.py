"""Keep a few threads at work until nothing is left to begin."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
_SECONDS_A_LOOK = 0.2


def work_off(
    workers: int,
    begin: Callable[[int], tuple[Callable[[], Any], T] | None],
    ended: Callable[[Future[Any], T], None],
    *,
    look: Callable[[], None],
    cancel: Callable[[], None],
) -> None:
    """Do pieces of work side by side; all but the work itself is called in this thread.

    Args:
        workers: Pieces under way at once.
        begin: Given how many are under way, returns the next piece and what it is for; None where there is none now.
        ended: Told of each piece that ended, well or not.
        look: Asked a few times a second; what it raises ends everything.
        cancel: Ends what is under way, where something raised.
    """
    with ThreadPoolExecutor(workers, thread_name_prefix="sweep") as pool:
        try:
            under_way: dict[Future[Any], T] = {}
            while True:
                while len(under_way) < workers and (found := begin(len(under_way))) is not None:
                    work, what = found
                    under_way[pool.submit(work)] = what
                if not under_way:
                    return
                done, _ = wait(under_way, timeout=_SECONDS_A_LOOK, return_when=FIRST_COMPLETED)
                look()
                for future in done:
                    ended(future, under_way.pop(future))
        except BaseException:
            # Leaving the block waits for the threads, and they wait for jobs.
            cancel()
            raise
