"""Another configuration while it serves: what is done, what is refused, and that the rest goes on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.serve.versions.factor_world import run
from workbench.serve.config.model_config import All, Specific
from workbench.serve.control import NoControl, ReloadError
from workbench.serve.models import Models, Target
from workbench.serve.status import Code, RequestError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from tests.serve.versions.factor_world import World


async def refused(work: Awaitable[Any], code: Code, words: str) -> RequestError:
    with pytest.raises(RequestError) as caught:
        await work
    assert (caught.value.code, caught.value.message) == (code, words)
    return caught.value


def label_words(name: str, version: int) -> str:
    return (
        f"Request to assign label to version {version} of model {name}, which is not currently available for inference"
    )


def test_models_that_are_not_named_go(world: World) -> None:
    async def scenario() -> None:
        world.put("a", 1, 10)
        world.put("b", 1, 20)
        world.put("c", 1, 30)
        manager = world.manager(world.config("a"), world.config("b"))
        await manager.start()
        done = await manager.reload([world.config("b"), world.config("c")])
        assert (done.loaded, done.unloaded) == ((("c", 1),), (("a", 1),))
        assert world.models.names() == ["b", "c"]
        assert world.log.count("load b/1") == 1
        await manager.poll_once()
        assert world.models.names() == ["b", "c"]

    run(scenario())


def test_a_name_may_come_once(world: World) -> None:
    async def scenario() -> None:
        world.put("a", 1, 10)
        manager = world.manager(world.config("a"))
        await manager.start()
        twice = [world.config("a"), world.config("a")]
        await refused(
            manager.reload(twice), Code.INVALID_ARGUMENT, "Illegal to list model a multiple times in config list"
        )
        assert world.ask("a") == 10

    run(scenario())


def test_labels_are_for_versions_that_answer(world: World) -> None:
    async def scenario() -> None:
        for version in (1, 2):
            world.put("m", version, version * 10)
        manager = world.manager(world.config("m", policy=All()))
        await manager.start()
        done = await manager.reload([world.config("m", policy=All(), labels={"stable": 1, "canary": 2})])
        assert done.labels == {"m": {"stable": 1, "canary": 2}}
        assert (world.ask("m", label="stable"), world.ask("m", label="canary")) == (10, 20)
        world.put("n", 1, 1)
        asked = [world.config("m", policy=All(), labels={"stable": 3}), world.config("n")]
        await refused(manager.reload(asked), Code.FAILED_PRECONDITION, label_words("m", 3))
        assert world.ask("m", label="stable") == 10
        assert world.models.names() == ["m"]  # nothing of it was done
        done = await manager.reload([world.config("m", policy=All(), labels={"stable": 2})])
        assert done.sentence() == "loaded nothing; unloaded nothing; labels of m: stable -> 2"
        assert world.ask("m", label="stable") == 20
        assert not (await manager.reload([world.config("m", policy=All(), labels={"stable": 2})])).changed
        with pytest.raises(RequestError, match="Unrecognized servable version label: canary"):
            world.ask("m", label="canary")

    run(scenario())


def test_labels_at_start_need_leave(world: World) -> None:
    async def scenario() -> None:
        world.put("m", 1, 10)
        config = world.config("m", labels={"stable": 1})
        await refused(world.manager(config).start(), Code.FAILED_PRECONDITION, label_words("m", 1))
        manager = world.manager(config, labels="new")
        await manager.start()
        assert world.ask("m", label="stable") == 10
        # Only a label that is new: this one would leave requests without an answer.
        moved = [world.config("m", labels={"stable": 2})]
        await refused(manager.reload(moved), Code.FAILED_PRECONDITION, label_words("m", 2))
        await manager.reload([world.config("m", labels={"stable": 1, "next": 2})])
        with pytest.raises(RequestError, match=r"Servable not found for request: Specific\(m, 2\)"):
            world.ask("m", label="next")
        world.put("m", 2, 20)
        await manager.poll_once()
        assert world.ask("m", label="next") == 20

    run(scenario())


def test_a_label_moves_with_its_version(world: World) -> None:
    """Our own rule: version and label in one request, and the label means an answer at every moment."""

    async def scenario() -> None:
        world.put("m", 1, 10)
        manager = world.manager(
            world.config("m", policy=Specific(versions=(1,)), labels={"stable": 1}), labels="loaded"
        )
        await manager.start()
        assert world.ask("m", label="stable") == 10
        world.put("m", 2, 20)
        stop = asyncio.Event()
        answers: set[float] = set()

        async def ask() -> None:
            while not stop.is_set():
                answers.add(world.ask("m", label="stable"))
                await asyncio.sleep(0)

        asking = asyncio.create_task(ask())
        await manager.reload([world.config("m", policy=Specific(versions=(2,)), labels={"stable": 2})])
        stop.set()
        await asking
        assert (world.ask("m", label="stable"), answers <= {10, 20}) == (20, True)

    run(scenario())


def test_a_label_whose_version_fails_stays(world: World) -> None:
    async def scenario() -> None:
        world.put("m", 1, 10)
        manager = world.manager(world.config("m", labels={"stable": 1}), labels="loaded")
        await manager.start()
        world.put("m", 2, "bad")
        asked = manager.reload([world.config("m", labels={"stable": 2})])
        error = await refused(asked, Code.FAILED_PRECONDITION, label_words("m", 2))
        assert isinstance(error, ReloadError)
        assert [(one.version, one.label) for one in error.done.refused] == [(2, None), (2, "stable")]
        assert (world.ask("m"), world.ask("m", label="stable")) == (10, 10)
        world.put("m", 2, 20)
        await manager.poll_once()
        await manager.poll_once()
        assert (world.ask("m"), world.ask("m", label="stable")) == (20, 20)

    run(scenario())


def test_a_new_model_that_cannot_be_loaded_is_named(world: World) -> None:
    async def scenario() -> None:
        world.put("good", 1, 10)
        world.put("bad", 3, "bad")
        (world.base / "empty").mkdir()
        manager = world.manager(world.config("good"))
        await manager.start()
        asked = [world.config(name) for name in ("good", "bad", "empty")]
        with pytest.raises(ReloadError) as caught:
            await manager.reload(asked)
        assert caught.value.code is Code.UNKNOWN
        assert caught.value.message == (
            "2 model(s) did not become available: {{{name: bad version: 3} due to error: factor must be a file that "
            "ends in a dot, got 'something else'.}, {{name: empty} due to error: no versions found}}"
        )
        assert world.ask("good") == 10
        assert world.states("bad") == {3: "END"}
        # What cannot be loaded in a model that answers is no error, only said.
        world.put("good", 2, "bad")
        done = await manager.reload([world.config("good")])
        assert [(one.name, one.version) for one in done.refused] == [("good", 2)]

    run(scenario())


def test_another_folder_needs_another_number(world: World) -> None:
    async def scenario() -> None:
        world.put("m", 1, 10)
        world.put("n", 1, 20)
        manager = world.manager(world.config("m"))
        await manager.start()
        moved = world.config("m").replace(base_path=str(world.base / "n"))
        done = await manager.reload([moved])
        assert [(one.version, one.reason) for one in done.refused] == [
            (1, "version 1 goes on as it was loaded; give the files of another folder a new number"),
        ]
        assert not (await manager.poll_once()).changed  # it is said once
        world.put("n", 2, 30)
        await manager.poll_once()
        assert (world.ask("m"), world.states("m")) == (30, {2: "AVAILABLE", 1: "END"})

    run(scenario())


def test_whoever_asked_may_leave(world: World) -> None:
    async def scenario() -> None:
        world.put("m", 1, 10)
        manager = world.manager()
        await manager.start()
        asking = asyncio.create_task(manager.reload([world.config("m")]))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await manager.reload([world.config("m")])
        assert world.states("m") == {1: "AVAILABLE"}

    run(scenario())


def test_unloaded_by_hand_until_loaded_again(world: World) -> None:
    async def scenario() -> None:
        world.put("m", 1, 10)
        manager = world.manager(world.config("m"))
        await manager.start()
        await manager.unload("m")
        await manager.poll_once()
        assert world.states("m") == {1: "END"}
        await manager.load("m")
        assert world.ask("m") == 10
        await manager.unload("m")
        await manager.reload([world.config("m")])
        assert world.ask("m") == 10
        await refused(manager.load("x"), Code.NOT_FOUND, "failed to load 'x', no such model")
        await refused(manager.unload("x"), Code.NOT_FOUND, "failed to unload 'x', no such model")

    run(scenario())


def test_a_model_of_the_repository_is_loaded_by_name(world: World) -> None:
    async def scenario() -> None:
        world.put("m", 1, 10)
        world.put("n", 1, "bad")
        manager = world.manager(repository=world.base)
        await manager.start()
        await manager.load("m")
        assert world.ask("m") == 10
        for name in ("..", "../models", "m/1", "", "."):
            await refused(manager.load(name), Code.NOT_FOUND, f"failed to load '{name}', no such model")
        with pytest.raises(RequestError, match=r"failed to load 'n', version 1: factor must be a file"):
            await manager.load("n")
        world.put("n", 1, 3)
        await manager.load("n")  # asked for, so not when its time has come
        assert world.ask("n") == 3
        assert [(one.name, one.version, one.state) for one in manager.index()] == [
            ("m", 1, "AVAILABLE"), ("n", 1, "AVAILABLE"),
        ]  # fmt: skip

    run(scenario())


def test_a_server_without_control_refuses_and_lists(world: World) -> None:
    async def scenario() -> None:
        world.put("m", 1, 10)
        await world.manager(world.config("m")).start()
        control = NoControl(world.models)
        words = "The models of this server cannot be changed"
        for work in (control.reload([]), control.load("m"), control.unload("m")):
            await refused(work, Code.UNIMPLEMENTED, words)
        assert [(one.name, one.version, one.state, one.reason) for one in control.index()] == [
            ("m", 1, "AVAILABLE", "")
        ]
        assert NoControl().index() == []

    run(scenario())


def test_an_unknown_label_is_told_before_an_unknown_model() -> None:
    with pytest.raises(RequestError) as caught:
        Models({}).find(Target("m", label="stable"))
    assert (caught.value.code, caught.value.message) == (
        Code.INVALID_ARGUMENT, "Unrecognized servable version label: stable",
    )  # fmt: skip
