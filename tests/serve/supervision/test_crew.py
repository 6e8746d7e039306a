"""Real workers under a crew: they are replaced when they die, at once or not, and when they hang."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from workbench.serve.status import Code, RequestError
from workbench.serve.supervision.crew import Crew
from workbench.serve.supervision.worker_process import WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

pytestmark = pytest.mark.faults


async def start(index: int) -> WorkerProcess:
    return await WorkerProcess.start(index, {})


async def nothing(_: WorkerProcess) -> None:
    """Prepare nothing."""


async def until(crew: Crew, condition: Callable[[], bool]) -> None:
    while not condition():
        crew._changed.clear()
        await asyncio.wait_for(crew._changed.wait(), 30)


def run(crew: Crew, test: Callable[[], Awaitable[None]]) -> None:
    others = set(psutil.Process().children())  # of tests before

    async def all_of_it() -> None:
        await crew.begin()
        try:
            await test()
        finally:
            await crew.drain(1, asyncio.Event())
        assert set(psutil.Process().children()) <= others

    asyncio.run(all_of_it())


def test_one_that_hangs_is_killed_and_replaced() -> None:
    crew = Crew(1, start, nothing, lambda _: None, patience=0.5)

    async def test() -> None:
        hung = crew.status[0].pid
        os.kill(hung, signal.SIGSTOP)
        await until(crew, lambda: crew.status[0].restarts == 1 and crew.status[0].state == "ready")
        assert crew.status[0].pid != hung
        assert crew.status[0].error == "it was killed by SIGKILL"

    run(crew, test)


def test_one_that_cannot_be_prepared_is_tried_again_and_the_reason_told() -> None:
    tries: list[int] = []

    async def prepare(worker: WorkerProcess) -> None:
        tries.append(worker.pid)
        if len(tries) == 1:
            raise RequestError(Code.FAILED_PRECONDITION, "the model is gone")
        if len(tries) == 2:
            os.kill(worker.pid, signal.SIGKILL)
            await worker.channel.call("alive")

    left: list[int] = []
    crew = Crew(1, start, prepare, lambda worker: left.append(worker.pid))

    async def test() -> None:
        assert (crew.status[0].state, crew.ready) == ("failed", [])
        assert crew.status[0].error == "it could not be prepared (the model is gone)"
        await until(crew, lambda: crew.status[0].restarts == 2)
        assert crew.status[0].error == "it was killed by SIGKILL before it was ready"
        await crew.settled()
        assert crew.status[0].pid == tries[2]
        assert left == tries[:2]

    run(crew, test)
