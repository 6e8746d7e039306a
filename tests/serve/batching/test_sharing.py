"""Who shares a run with whom, and that nobody is harmed by it."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from workbench.serve.batching import Batching
from workbench.serve.counters import Counters
from workbench.serve.inference import Inference
from workbench.serve.models import Models
from workbench.serve.servable import Servable
from workbench.serve.signature import DEFAULT, Signature, Tensor
from workbench.serve.status import Code, RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

POISON = -1.0


class Engine:
    """Doubles what it is given; notes each run, and waits at its gate once it is closed."""

    platform = "test"

    def __init__(self, batch: int = -1, inner: int = 2, function: Callable[[Any], Any] = lambda x: x * 2) -> None:
        tensor = Tensor("x", "float32", (batch, inner))
        self.signatures = {DEFAULT: Signature((tensor,), (Tensor("y", "float32", (batch, inner)),))}
        self.function = function
        self.sizes: list[int] = []
        self.threads: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)

    def run(self, signature: str, feeds: Any) -> dict[str, Any]:
        assert signature == DEFAULT
        x = feeds["x"]
        self.sizes.append(len(x))
        self.threads.append(threading.get_ident())
        self.entered.release()
        assert self.gate.wait(10)
        if (x == POISON).any():
            raise ValueError("poison")
        return {"y": self.function(x)}

    def close(self) -> None: ...

    def forget(self) -> None:
        self.sizes.clear()
        self.threads.clear()
        while self.entered.acquire(blocking=False):
            pass


class Served:
    """An engine behind the inference core."""

    def __init__(self, engine: Engine, **batching: Any) -> None:
        self.engine = engine
        self.servable = Servable("m", 1, lambda: engine)
        self.servable.load()
        assert self.servable.state == "AVAILABLE"
        engine.forget()
        self.counters = Counters(["m"])
        self.inference = Inference(Models({}), self.counters, Batching(**batching))

    async def ask(self, *values: float, width: int = 2, deadline: float | None = None) -> list[float]:
        feeds = {"x": np.repeat(np.array(values, np.float32)[:, None], width, axis=1)}
        outputs = await self.inference.run(self.servable, feeds, deadline=deadline)
        column: list[float] = outputs["y"][:, 0].tolist()
        return column

    async def busy(self) -> asyncio.Task[list[float]]:
        """Have a run under way that ends when the gate is opened."""
        self.engine.gate.clear()
        self.servable._sample_seconds = 1.0  # slow enough for a thread
        task = asyncio.create_task(self.ask(9.0))
        await asyncio.to_thread(self.engine.entered.acquire)
        self.servable._sample_seconds = 0.0001  # quick enough for one run at a time
        return task


def run(what: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(what, 20))


async def code_of(asked: Coroutine[Any, Any, Any]) -> Code:
    with pytest.raises(RequestError) as caught:
        await asked
    return caught.value.code


def test_a_lone_request_runs_in_the_loop() -> None:
    served = Served(Engine())

    async def scenario() -> None:
        assert await served.ask(1.0) == [2.0]
        assert served.engine.threads == [threading.get_ident()]

    run(scenario())


def test_requests_of_one_turn_share_a_run() -> None:
    served = Served(Engine())

    async def scenario() -> None:
        answers = await asyncio.gather(served.ask(1.0), served.ask(2.0, 3.0), served.ask(4.0))
        assert answers == [[2.0], [4.0, 6.0], [8.0]]

    run(scenario())
    assert served.engine.sizes == [4]


def test_what_comes_while_a_run_is_under_way_shares_the_next() -> None:
    served = Served(Engine())

    async def scenario() -> None:
        first = await served.busy()
        later = []
        for value in (1.0, 2.0, 3.0):
            later.append(asyncio.create_task(served.ask(value)))
            await asyncio.sleep(0)
        served.engine.gate.set()
        assert await first == [18.0]
        assert await asyncio.gather(*later) == [[2.0], [4.0], [6.0]]

    run(scenario())
    assert served.engine.sizes == [1, 3]


def test_a_wrong_shape_harms_nobody() -> None:
    served = Served(Engine())

    async def scenario() -> None:
        good, bad, other = await asyncio.gather(
            served.ask(1.0), served.ask(1.0, width=3), served.ask(2.0), return_exceptions=True
        )
        assert (good, other) == ([2.0], [4.0])
        assert isinstance(bad, RequestError)
        assert bad.code is Code.INVALID_ARGUMENT

    run(scenario())
    assert served.engine.sizes == [2]


def test_a_failing_run_is_taken_apart() -> None:
    served = Served(Engine())

    async def scenario() -> None:
        good, bad, other = await asyncio.gather(
            served.ask(1.0), served.ask(POISON), served.ask(2.0), return_exceptions=True
        )
        assert (good, other) == ([2.0], [4.0])
        assert isinstance(bad, RequestError)
        assert bad.code is Code.INTERNAL

    run(scenario())
    assert served.engine.sizes == [3, 1, 1, 1]


def test_other_inner_shapes_do_not_share() -> None:
    served = Served(Engine(inner=-1))

    async def scenario() -> None:
        answers = await asyncio.gather(
            served.ask(1.0), served.ask(2.0, width=5), served.ask(3.0), served.ask(4.0, width=5)
        )
        assert answers == [[2.0], [4.0], [6.0], [8.0]]

    run(scenario())
    assert served.engine.sizes == [2, 2]


@pytest.mark.parametrize("mode", ["auto", "on"])
def test_a_fixed_batch_is_never_shared(mode: str) -> None:
    served = Served(Engine(batch=1), mode=mode)

    async def scenario() -> None:
        assert await asyncio.gather(served.ask(1.0), served.ask(2.0)) == [[2.0], [4.0]]

    run(scenario())
    assert served.engine.sizes == [1, 1]


def test_off_runs_each_alone() -> None:
    served = Served(Engine(), mode="off")

    async def scenario() -> None:
        assert await asyncio.gather(served.ask(1.0), served.ask(2.0)) == [[2.0], [4.0]]

    run(scenario())
    assert served.engine.sizes == [1, 1]


@pytest.mark.parametrize("mode", ["auto", "on", "off"])
def test_a_burst_is_not_refused(mode: str) -> None:
    served = Served(Engine(batch=1), mode=mode)

    async def scenario() -> None:
        answers = await asyncio.gather(*(served.ask(float(value)) for value in range(1000)))
        assert answers == [[2.0 * value] for value in range(1000)]

    run(scenario())


def test_a_model_that_looks_at_the_whole_batch_is_not_shared() -> None:
    served = Served(Engine(function=lambda x: x * 2 + x.max() - x.max(axis=1, keepdims=True)))

    async def scenario() -> None:
        assert await asyncio.gather(served.ask(1.0), served.ask(100.0)) == [[2.0], [200.0]]

    run(scenario())
    assert served.engine.sizes == [1, 1]


def test_an_output_of_another_length_is_not_shared() -> None:
    served = Served(Engine(function=lambda x: x[:1]))

    async def scenario() -> None:
        assert await asyncio.gather(served.ask(1.0), served.ask(5.0)) == [[1.0], [5.0]]

    run(scenario())


def test_too_many_waiting_are_refused_and_slots_are_freed() -> None:
    served = Served(Engine(), max_enqueued_batches=1, max_batch_size=2)

    async def scenario() -> None:
        first = await served.busy()
        waiting = [asyncio.create_task(served.ask(float(value))) for value in (1, 2)]
        await asyncio.sleep(0)
        assert await code_of(served.ask(3.0)) is Code.RESOURCE_EXHAUSTED
        waiting[0].cancel()
        await asyncio.sleep(0)
        last = asyncio.create_task(served.ask(4.0))
        await asyncio.sleep(0)
        served.engine.gate.set()
        assert await first == [18.0]
        assert await waiting[1] == [4.0]
        assert await last == [8.0]
        assert waiting[0].cancelled()

    run(scenario())
    assert served.engine.sizes == [1, 2]  # the cancelled one was not run


def test_what_is_overdue_is_told_at_once_and_not_run() -> None:
    served = Served(Engine())

    async def scenario() -> None:
        assert await code_of(served.ask(1.0, deadline=time.monotonic())) is Code.DEADLINE_EXCEEDED
        first = await served.busy()
        patient = asyncio.create_task(served.ask(2.0, deadline=time.monotonic() + 100))
        assert await code_of(served.ask(1.0, deadline=time.monotonic() + 0.05)) is Code.DEADLINE_EXCEEDED
        assert not first.done()
        served.engine.gate.set()
        assert await patient == [4.0]

    run(scenario())
    assert served.engine.sizes == [1, 1]


def test_a_run_that_takes_too_long_is_given_up() -> None:
    served = Served(Engine())

    async def scenario() -> None:
        first = await served.busy()
        first.cancel()
        served.servable._sample_seconds = 1.0  # slow enough for a thread of its own
        assert await code_of(served.ask(1.0, deadline=time.monotonic() + 0.05)) is Code.DEADLINE_EXCEEDED
        served.engine.gate.set()
        assert await served.ask(3.0) == [6.0]

    run(scenario())


def test_allowed_sizes_pad() -> None:
    served = Served(Engine(), allowed_batch_sizes=(4, 8), max_batch_size=8)

    async def scenario() -> None:
        assert await asyncio.gather(served.ask(1.0), served.ask(2.0)) == [[2.0], [4.0]]
        assert await served.ask(1.0, 2.0, 3.0, 4.0, 5.0) == [2.0, 4.0, 6.0, 8.0, 10.0]

    run(scenario())
    assert served.engine.sizes == [4, 8]
    assert served.counters.totals()["m"]["padding_size"]["total"] == 5


def test_only_what_is_larger_than_a_batch_is_split() -> None:
    served = Served(Engine(), mode="on", max_batch_size=4, max_enqueued_batches=1, batch_timeout_micros=0)

    async def scenario() -> None:
        assert await served.ask(*map(float, range(10))) == [2.0 * value for value in range(10)]
        assert await asyncio.gather(served.ask(1.0, 2.0, 3.0), served.ask(4.0, 5.0)) == [[2.0, 4.0, 6.0], [8.0, 10.0]]

    run(scenario())
    assert sorted(served.engine.sizes) == [2, 2, 3, 4, 4]


def test_a_large_request_runs_whole_where_nobody_asked_for_batches() -> None:
    served = Served(Engine(), max_batch_size=4)

    async def scenario() -> None:
        await asyncio.gather(served.ask(*map(float, range(10))), served.ask(1.0), served.ask(2.0))

    run(scenario())
    assert served.engine.sizes == [10, 2]


def test_a_split_request_fails_whole() -> None:
    served = Served(Engine(), mode="on", max_batch_size=2, batch_timeout_micros=0)

    async def scenario() -> None:
        assert await code_of(served.ask(1.0, 2.0, POISON, 3.0)) is Code.INTERNAL
        assert await served.ask(1.0) == [2.0]

    run(scenario())


def test_on_waits_until_a_batch_is_full() -> None:
    served = Served(Engine(), mode="on", max_batch_size=2, batch_timeout_micros=60_000_000)

    async def scenario() -> None:
        first = asyncio.create_task(served.ask(1.0))
        await asyncio.sleep(0.02)
        assert not first.done()
        assert await asyncio.gather(first, served.ask(2.0)) == [[2.0], [4.0]]

    run(scenario())
    assert served.engine.sizes == [2]


def test_on_waits_no_longer_than_its_timeout() -> None:
    served = Served(Engine(), mode="on", batch_timeout_micros=1000)

    async def scenario() -> None:
        assert await served.ask(1.0) == [2.0]

    run(scenario())
    assert served.counters.totals()["m"]["queuing"]["total"] >= 1000


def test_a_version_is_freed_when_all_who_wait_are_answered() -> None:
    served = Served(Engine())

    async def scenario() -> None:
        first = await served.busy()
        waiting = asyncio.create_task(served.ask(1.0))
        await asyncio.sleep(0)
        closing = asyncio.create_task(asyncio.to_thread(served.servable.close))
        await asyncio.sleep(0.02)
        assert not closing.done()
        served.engine.gate.set()
        assert (await first, await waiting) == ([18.0], [2.0])
        await closing
        assert await code_of(served.ask(1.0)) is Code.UNAVAILABLE

    run(scenario())


def test_many_at_once_get_each_their_own_answer() -> None:
    served = Served(Engine(), max_batch_size=16)

    async def client(number: int) -> None:
        for turn in range(30):
            value = float(number * 100 + turn)
            assert await served.ask(*[value] * (1 + number % 3)) == [2 * value] * (1 + number % 3)

    async def scenario() -> None:
        await asyncio.gather(*(client(number) for number in range(40)))

    run(scenario())
    assert sum(served.engine.sizes) == sum(30 * (1 + number % 3) for number in range(40))
    assert len(served.engine.sizes) < 600
