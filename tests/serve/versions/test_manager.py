"""Versions come and go: what a look at the disk, a failure, and time do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.serve.versions.factor_world import run
from workbench.serve.config.model_config import All, Latest, Specific
from workbench.serve.status import Code, RequestError

if TYPE_CHECKING:
    from tests.serve.versions.factor_world import World


def test_start_serves_the_newest(world: World) -> None:
    world.put("m", 1, 10)
    world.put("m", 3, 30)
    done = run(world.manager(world.config("m")).start())
    assert (done.loaded, done.unloaded, done.refused) == ((("m", 3),), (), ())
    assert (world.ask("m"), world.states("m")) == (30, {3: "AVAILABLE"})


def test_a_new_version_takes_over_and_the_old_one_is_freed_after(world: World) -> None:
    async def scenario() -> None:
        world.put("m", 1, 10)
        manager = world.manager(world.config("m"))
        await manager.start()
        world.put("m", 2, 20)
        done = await manager.poll_once()
        assert (done.loaded, done.unloaded) == ((("m", 2),), (("m", 1),))
        assert world.ask("m") == 20
        assert world.states("m") == {2: "AVAILABLE", 1: "END"}
        assert not (await manager.poll_once()).changed
        assert [one.sentence() for _, one in manager.history] == [
            "loaded m/1; unloaded nothing", "loaded m/2; unloaded m/1",
        ]  # fmt: skip

    run(scenario())
    assert world.log == ["load m/1", "load m/2", "close m/1"]


def test_it_goes_back_when_the_newest_is_deleted(world: World) -> None:
    async def scenario() -> None:
        world.put("m", 1, 10)
        newest = world.put("m", 2, 20)
        manager = world.manager(world.config("m"))
        await manager.start()
        (newest / "factor").unlink()
        newest.rmdir()
        await manager.poll_once()
        assert (world.ask("m"), world.states("m")) == (10, {2: "END", 1: "AVAILABLE"})
        world.put("m", 2, 200)
        await manager.poll_once()
        assert (world.ask("m"), world.states("m")) == (200, {2: "AVAILABLE", 1: "END"})

    run(scenario())


def test_a_failure_leaves_the_old_one_and_says_why(world: World) -> None:
    async def scenario() -> None:
        world.put("m", 1, 10)
        manager = world.manager(world.config("m"))
        await manager.start()
        world.put("m", 2, "no number")
        done = await manager.poll_once()
        assert [(one.name, one.version) for one in done.refused] == [("m", 2)]
        assert (world.ask("m"), world.states("m")) == (10, {2: "END", 1: "AVAILABLE"})
        assert (world.error("m", 2) or "").startswith("factor must be a file")
        world.put("m", 3, 30)
        await manager.poll_once()
        assert world.ask("m") == 30

    run(scenario())


def test_what_fails_is_tried_again_later_and_then_given_up(world: World) -> None:
    async def scenario() -> None:
        world.put("m", 1, "bad")
        manager = world.manager(world.config("m"))
        await manager.start()
        for seconds, loads in ((0, 1), (59, 1), (1, 2), (60, 3), (60, 3), (600, 3)):
            world.now += seconds
            await manager.poll_once()
            assert world.log.count("load m/1") == loads
        assert world.states("m") == {1: "END"}

    run(scenario())


def test_one_that_fails_by_chance_recovers_with_time(world: World) -> None:
    async def scenario() -> None:
        folder = world.put("m", 1, "bad")
        manager = world.manager(world.config("m"))
        await manager.start()
        (folder / "factor").write_text("7.")
        world.now += 60
        await manager.poll_once()
        assert (world.ask("m"), world.states("m"), world.error("m", 1)) == (7, {1: "AVAILABLE"}, None)

    run(scenario())


def test_a_copy_in_parts_is_served_when_it_is_complete(world: World) -> None:
    async def scenario() -> None:
        world.put("m", 1, 10)
        manager = world.manager(world.config("m"))
        await manager.start()
        for part in ("2", "22", "222"):
            world.put("m", 2, part)
            await manager.poll_once()
            assert world.ask("m") == 10
        assert world.log.count("load m/2") == 1  # it is left alone while it grows
        world.put("m", 2, "222.")
        await manager.poll_once()
        await manager.poll_once()
        assert (world.ask("m"), world.states("m")) == (222, {2: "AVAILABLE", 1: "END"})

    run(scenario())


def test_repaired_files_begin_a_new_count(world: World) -> None:
    async def scenario() -> None:
        world.put("m", 1, "bad")
        manager = world.manager(world.config("m"))
        await manager.start()
        world.now += 1000
        await manager.poll_once()
        world.now += 1000
        await manager.poll_once()
        assert world.log.count("load m/1") == 3
        world.now += 1000
        await manager.poll_once()
        assert world.log.count("load m/1") == 3  # it is given up
        world.put("m", 1, 5)
        await manager.poll_once()
        await manager.poll_once()
        assert world.ask("m") == 5

    run(scenario())


def test_nothing_there_yet_is_waited_for(world: World) -> None:
    async def scenario() -> None:
        manager = world.manager(world.config("m"), world.config("n"))
        (world.base / "n").mkdir()
        done = await manager.start()
        assert (done.changed, world.models.loaded()) == (False, False)
        with pytest.raises(RequestError, match=r"Could not find any versions of model m"):
            world.states("m")
        world.put("m", 1, 10)
        world.put("n", 4, 40)
        await manager.poll_once()
        assert (world.ask("m"), world.ask("n"), world.models.loaded()) == (10, 40, True)

    run(scenario())


def test_a_folder_that_is_gone_keeps_what_is_served_and_an_empty_one_does_not(world: World) -> None:
    async def scenario() -> None:
        world.put("m", 1, 10)
        manager = world.manager(world.config("m"))
        await manager.start()
        (world.base / "m").rename(world.base / "away")
        await manager.poll_once()
        assert world.ask("m") == 10
        (world.base / "m").mkdir()
        await manager.poll_once()
        with pytest.raises(RequestError) as caught:
            world.ask("m")
        assert (caught.value.code, world.states("m")) == (Code.NOT_FOUND, {1: "END"})

    run(scenario())


def test_all_and_specific(world: World) -> None:
    async def scenario() -> None:
        for version in (1, 2, 3):
            for name in ("a", "s"):
                world.put(name, version, version)
        manager = world.manager(world.config("a", policy=All()), world.config("s", policy=Specific(versions=(1, 3, 9))))
        await manager.start()
        assert world.states("a") == dict.fromkeys((1, 2, 3), "AVAILABLE")
        assert world.states("s") == dict.fromkeys((1, 3), "AVAILABLE")
        assert (world.ask("a"), world.ask("s"), world.ask("s", 1)) == (3, 3, 1)
        world.put("s", 4, 4)
        assert not (await manager.poll_once()).changed

    run(scenario())


def test_it_looks_by_itself_and_ends(world: World) -> None:
    async def scenario() -> None:
        world.put("m", 1, 10)
        seen = asyncio.Event()
        manager = world.manager(world.config("m"), on_change=lambda done: seen.set() if done.unloaded else None)
        await manager.start()
        looking = asyncio.create_task(manager.run())
        world.put("m", 2, 20)
        await seen.wait()
        assert world.ask("m") == 20
        looking.cancel()
        await manager.close()

    run(scenario())


def test_one_look_is_all_where_nothing_else_is_asked(world: World) -> None:
    async def scenario() -> None:
        world.put("m", 1, "bad")
        world.put("n", 1, 10)
        tried = asyncio.Event()
        manager = world.manager(
            world.config("m"),
            world.config("n"),
            poll_seconds=0,
            on_change=lambda done: tried.set() if done.loaded else None,
        )
        await manager.start()
        tried.clear()
        looking = asyncio.create_task(manager.run())
        world.put("n", 2, 20)
        world.put("m", 1, 5)
        world.now += 60
        await tried.wait()  # the retry happened, and a look would have happened before
        assert (world.ask("m"), world.ask("n")) == (5, 10)
        looking.cancel()
        await manager.close()

    run(scenario())


def test_many_versions_leave_a_short_list(world: World) -> None:
    async def scenario() -> None:
        manager = world.manager(world.config("m", policy=Latest(num_versions=2)))
        for version in range(1, 81):
            world.put("m", version, version)
            await (manager.poll_once() if version > 1 else manager.start())
        states = world.states("m")
        assert (states[80], states[79], states[78], len(states)) == ("AVAILABLE", "AVAILABLE", "END", 66)
        assert {one.version: one.state for one in manager.index()} == states

    run(scenario())
