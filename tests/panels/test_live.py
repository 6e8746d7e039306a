from __future__ import annotations

import threading
from queue import Queue
from typing import TYPE_CHECKING, Any

import pytest

from workbench.core.events import EventWriter
from workbench.panels.live import Live

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOON = 10


class Run:
    """A job as far as `Live` knows one."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.state = folder, "running"
        self.writer = EventWriter(folder)

    def events(self) -> Any:
        from workbench.core.events import EventReader

        return EventReader(self.folder)


def fail(error: BaseException) -> None:
    raise error


class Faulty(Run):
    """One whose folder cannot be read for a while."""

    def __init__(self, folder: Path) -> None:
        self.broken = False
        super().__init__(folder)

    @property
    def state(self) -> str:
        if self.broken:
            raise OSError("Stale file handle")
        return self._state

    @state.setter
    def state(self, state: str) -> None:
        self._state = state


@pytest.fixture
def live() -> Iterator[Live]:
    app = Live()
    yield app
    app.close()


def test_following_tells_past_and_future_until_the_end(live: Live, tmp_path: Path) -> None:
    run, heard = Run(tmp_path), Queue[tuple[list[str], str]]()
    run.writer.emit("note", text="before")
    live.follow(run, lambda events, state: heard.put(([e.type for e in events], state)), fail)
    assert heard.get(timeout=SOON) == (["note"], "running")
    run.writer.emit("batch", n=1)
    run.writer.emit("batch", n=2)
    got: list[str] = []
    while len(got) < 2:
        got += heard.get(timeout=SOON)[0]
    assert got == ["batch", "batch"]
    run.state = "done"
    assert heard.get(timeout=SOON) == ([], "done")
    run.writer.close()


def test_a_run_that_cannot_be_read_is_told_once_and_nothing_is_lost(live: Live, tmp_path: Path) -> None:
    run, heard, errors = Faulty(tmp_path), Queue[list[int]](), Queue[BaseException]()
    live.follow(run, lambda events, _: heard.put([e.data["n"] for e in events]), errors.put)
    assert heard.get(timeout=SOON) == []
    for again in range(2):
        run.broken = True
        run.writer.emit("state", n=again)
        assert isinstance(errors.get(timeout=SOON), OSError)
        run.broken = False
        assert heard.get(timeout=SOON) == [again]
    assert errors.empty()
    run.writer.close()


def test_a_watch_that_fails_stops_no_other(live: Live) -> None:
    looked = threading.Event()
    live.watch(lambda: {}["gone"], every=0.01)
    live.watch(looked.set, every=0.01)
    assert looked.wait(SOON)
    looked.clear()
    assert looked.wait(SOON)


def test_many_events_come_in_few_calls(live: Live, tmp_path: Path) -> None:
    run, calls, done = Run(tmp_path), [], threading.Event()
    for n in range(500):
        run.writer.emit("batch", n=n)

    def tell(events: list[Any], _state: str) -> None:
        calls.append(len(events))
        if sum(calls) >= 1000:
            done.set()

    live.follow(run, tell, fail)
    for n in range(500):
        run.writer.emit("batch", n=n)
    assert done.wait(SOON)
    assert len(calls) <= 10
    run.writer.close()


def test_background_work_comes_back_and_so_does_its_error(live: Live) -> None:
    heard: Queue[Any] = Queue()
    live.background(lambda: 6 * 7, heard.put, heard.put)
    assert heard.get(timeout=SOON) == 42
    live.background(lambda: {}["gone"], heard.put, heard.put)
    assert isinstance(heard.get(timeout=SOON), KeyError)


def test_close_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    app, looked = Live(), threading.Event()
    app.watch(looked.set, every=0.01)
    assert looked.wait(SOON)
    app.close()
    assert set(threading.enumerate()) == before
    app.background(lambda: 1, lambda _: None, lambda _: None)
    assert set(threading.enumerate()) == before


def test_an_app_ends_while_others_begin_work_in_it() -> None:
    for _ in range(200):
        live = Live()
        begin = threading.Barrier(3)

        def ask(live: Live = live, begin: threading.Barrier = begin) -> None:
            begin.wait()
            live.background(lambda: None, lambda _value: None, lambda _error: None)

        asking = [threading.Thread(target=ask) for _ in range(2)]
        for thread in asking:
            thread.start()
        begin.wait()
        live.close()
        for thread in asking:
            thread.join()
