"""What the fleet is told every worker does, also one that comes later; workers are played, the channels are real."""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from workbench.serve.status import Code, RequestError
from workbench.serve.supervision.channel import Channel
from workbench.serve.supervision.remote_fleet import RemoteFleet
from workbench.serve.versions.fleet import LoadError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ASKS = ("load", "serve", "unload", "show", "label", "forget")
HERE = Path("/models/m/1")


class Played:
    """A worker that notes what it is told; at its n-th load it may refuse or die."""

    def __init__(self, fleet: RemoteFleet, *, refuses: bool = False, dies: bool = False) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.applied: dict[tuple[str, int], bool] = {}
        self.pid = id(self)
        self.killed = False
        self._fleet = fleet
        self._refuses, self._dies = refuses, dies
        self.before: Callable[[str], Awaitable[None]] | None = None

    async def come(self) -> Played:
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)
        self.channel = Channel(reader, writer, {})
        reader, writer = await asyncio.open_connection(sock=theirs)
        self._theirs = Channel(reader, writer, {ask: partial(self._hear, ask) for ask in ASKS})
        self._runs = [asyncio.create_task(each.run()) for each in (self.channel, self._theirs)]
        await self._fleet.join(self)  # type: ignore[arg-type]
        return self

    def kill(self) -> None:
        self.killed = True
        self._theirs.close()
        self._fleet.leave(self)  # type: ignore[arg-type]

    async def _hear(self, ask: str, **arguments: Any) -> None:
        self.told.append((ask, *arguments.values()))
        if self.before is not None:
            await self.before(ask)
        if ask == "load" and self._dies:
            self.kill()
        if ask == "load" and self._refuses:
            raise RequestError(Code.FAILED_PRECONDITION, "it has no graph")


def run(test: Callable[[RemoteFleet], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(_run(test), 20))


async def _run(test: Callable[[RemoteFleet], Awaitable[None]]) -> None:
    await test(RemoteFleet())


def test_every_worker_has_loaded_a_version_before_one_serves_it() -> None:
    async def test(fleet: RemoteFleet) -> None:
        workers = [await Played(fleet).come() for _ in range(3)]
        await fleet.load("m", 1, HERE)
        assert [one.told for one in workers] == [[("load", "m", 1, str(HERE))]] * 3
        await fleet.serve("m", 1)
        await fleet.label("m", {"stable": 1})
        assert [one.told[1:] for one in workers] == [[("serve", "m", 1), ("label", "m", {"stable": 1})]] * 3

    run(test)


def test_where_one_refuses_all_let_it_go() -> None:
    async def test(fleet: RemoteFleet) -> None:
        workers = [await Played(fleet, refuses=refuses).come() for refuses in (False, True, False)]
        with pytest.raises(LoadError, match="it has no graph"):
            await fleet.load("m", 1, HERE)
        assert [one.told[-1] for one in workers] == [("unload", "m", 1)] * 3
        late = await Played(fleet).come()
        assert late.told == []

    run(test)


def test_one_that_comes_late_gets_all_that_is_wanted() -> None:
    async def test(fleet: RemoteFleet) -> None:
        await Played(fleet).come()
        for version in (1, 2, 3):
            await fleet.load("m", version, HERE)
            await fleet.serve("m", version)
        await fleet.unload("m", 1)
        await fleet.load("m", 4, HERE)
        await fleet.show("m", 5, "END", "it has no graph")
        await fleet.label("m", {"stable": 2})
        late = await Played(fleet).come()
        assert late.told == [
            *[(ask, "m", 2, *where) for ask, where in (("load", [str(HERE)]), ("serve", []))],
            *[(ask, "m", 3, *where) for ask, where in (("load", [str(HERE)]), ("serve", []))],
            ("load", "m", 4, str(HERE)),
            ("show", "m", 1, "END", ""),
            ("show", "m", 5, "END", "it has no graph"),
            ("label", "m", {"stable": 2}),
        ]
        await fleet.forget("m")
        assert (await Played(fleet).come()).told == []

    run(test)


def test_what_nobody_can_load_again_is_given_up_alone() -> None:
    async def test(fleet: RemoteFleet) -> None:
        lost: list[tuple[str, int, str]] = []
        fleet.on_lost = lambda *facts: lost.append(facts)
        first = await Played(fleet).come()
        for version in (1, 2, 3):
            await fleet.load("m", version, HERE)
            await fleet.serve("m", version)

        def picky() -> Played:
            worker = Played(fleet)

            async def refuse(ask: str) -> None:
                if ask == "load" and worker.told[-1][2] == 2:
                    raise RequestError(Code.FAILED_PRECONDITION, "it was truncated")

            worker.before = refuse
            return worker

        early = picky()
        with pytest.raises(RequestError, match="it was truncated"):  # another answers with it
            await early.come()
        early.kill()
        assert lost == []
        first.kill()
        successors = await asyncio.gather(picky().come(), picky().come())
        assert lost == [("m", 2, "it was truncated")]
        for one in successors:
            assert one.applied == {("m", 1): True, ("m", 3): True}
            assert ("show", "m", 2, "END", "it was truncated") in one.told

    run(test)


def test_what_is_wanted_while_one_joins_reaches_it_too() -> None:
    async def test(fleet: RemoteFleet) -> None:
        await Played(fleet).come()
        await fleet.load("m", 1, HERE)
        await fleet.serve("m", 1)
        late = Played(fleet)

        async def swap(ask: str) -> None:
            if ask == "serve" and len(late.told) == 2:  # it has just been given version 1
                await fleet.load("m", 2, HERE)
                await fleet.serve("m", 2)
                await fleet.unload("m", 1)

        late.before = swap
        await late.come()
        assert late.applied == {("m", 2): True}
        assert ("unload", "m", 1) in late.told

    run(test)


def test_a_version_is_tried_by_one_and_refused_when_two_die_of_it() -> None:
    async def test(fleet: RemoteFleet) -> None:
        steady = [await Played(fleet).come() for _ in range(2)]
        await fleet.load("m", 1, HERE)
        await fleet.serve("m", 1)
        for one in steady:
            fleet.leave(one)  # type: ignore[arg-type]
        for _ in range(2):
            await Played(fleet).come()
        third = await Played(fleet).come()
        for one in fleet._workers[:2]:
            one._dies = True  # type: ignore[attr-defined]
        with pytest.raises(LoadError, match="model m version 2 ended the process that loaded it; the log says why"):
            await fleet.load("m", 2, HERE)
        assert ("load", "m", 2, str(HERE)) not in third.told
        assert not third.killed

    run(test)


def test_one_that_dies_meanwhile_may_have_died_of_something_else() -> None:
    async def test(fleet: RemoteFleet) -> None:
        workers = [await Played(fleet).come() for _ in range(3)]
        await fleet.load("m", 1, HERE)
        await fleet.serve("m", 1)
        workers[0]._dies = True
        await fleet.load("m", 2, HERE)
        await fleet.serve("m", 2)
        assert [one.applied.get(("m", 2)) for one in workers[1:]] == [True, True]

    run(test)


def test_where_nobody_is_there_a_load_waits_for_the_next() -> None:
    async def test(fleet: RemoteFleet) -> None:
        loading = asyncio.create_task(fleet.load("m", 1, HERE))
        await asyncio.sleep(0)
        assert not loading.done()
        worker = await Played(fleet).come()
        await loading
        assert worker.told == [("load", "m", 1, str(HERE))]

    run(test)
