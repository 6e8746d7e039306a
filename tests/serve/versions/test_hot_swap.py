"""A new version takes over while requests run: none fails, and each is answered by one version."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.serve.versions.factor_world import run, until
from workbench.serve.counters import Counters
from workbench.serve.inference import Inference
from workbench.serve.models import Target

if TYPE_CHECKING:
    from tests.serve.versions.factor_world import World

SWAPS = 20


@pytest.mark.parametrize("rows", [1, 40_000], ids=["on the loop", "in threads"])
def test_no_request_fails(world: World, rows: int) -> None:
    async def scenario() -> None:
        world.put("m", 1, 1)
        manager = world.manager(world.config("m"))
        await manager.start()
        inference = Inference(world.models, Counters(["m"]))
        x = np.ones((rows, 1), np.float32)
        stop = asyncio.Event()
        seen: set[float] = set()

        async def ask() -> None:
            while not stop.is_set():
                outputs = await inference.run(inference.find(Target("m")), {"x": x})
                found = np.unique(outputs["y"])
                assert found.size == 1
                seen.add(float(found[0]))
                await asyncio.sleep(0)

        async with asyncio.TaskGroup() as group:
            for _ in range(8):
                group.create_task(ask())
            for version in range(2, SWAPS + 2):
                world.put("m", version, version)
                await manager.poll_once()
            stop.set()
        assert seen <= set(range(1, SWAPS + 2))
        assert len(seen) > 2
        inference.close()

    run(scenario())
    assert [line for line in world.log if line.startswith("close")] == [f"close m/{one}" for one in range(1, SWAPS + 1)]


def test_who_found_a_version_may_still_ask_it(world: World) -> None:
    async def scenario() -> None:
        world.put("m", 1, 10)
        manager = world.manager(world.config("m"))
        await manager.start()
        held = world.models.find(Target("m"))
        world.put("m", 2, 20)
        swapping = asyncio.create_task(manager.poll_once())
        await until(lambda: world.states("m") == {1: "UNLOADING", 2: "AVAILABLE"})
        assert float(held.run({"x": np.ones((1, 1), np.float32)})["y"][0, 0]) == 10
        assert "close m/1" not in world.log
        del held
        await swapping
        assert world.log[-1] == "close m/1"

    run(scenario())
