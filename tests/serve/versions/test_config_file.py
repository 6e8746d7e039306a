"""A configuration file that changes while the server runs."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from tests.serve.versions.factor_world import run, until
from workbench.core.errors import BadInputError
from workbench.serve.config.model_server import write_models
from workbench.serve.status import RequestError
from workbench.serve.versions.config_file import ConfigFile

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serve.versions.factor_world import World
    from workbench.serve.versions.manager import Manager


def answers(world: World, name: str) -> float | None:
    """What a model answers, None where there is none."""
    try:
        return world.ask(name)
    except RequestError:
        return None


def watching(file: ConfigFile, manager: Manager) -> asyncio.Task[None]:
    async def reload() -> str:
        try:
            await manager.reload(file.models())
        except (BadInputError, RequestError) as error:
            return str(error)
        return ""

    return asyncio.create_task(file.watch(0.01, reload))


def test_it_follows_the_file_and_a_bad_one_changes_nothing(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        world.put("a", 1, 10)
        world.put("b", 1, 20)
        path = tmp_path / "models.config"
        path.write_text(write_models([world.config("a")]))
        file = ConfigFile(path)
        manager = world.manager(*file.models())
        await manager.start()
        task = watching(file, manager)
        path.write_text("model_config_list {\n  config {\n    nmae: 'a'\n")
        await until(lambda: bool(caplog.records))
        path.unlink()
        await until(lambda: len(caplog.records) == 2)
        assert world.ask("a") == 10
        path.write_text(write_models([world.config("b")]))
        await until(lambda: (answers(world, "a"), answers(world, "b")) == (None, 20))
        task.cancel()
        await manager.close()

    with caplog.at_level(logging.ERROR):
        run(scenario())
    first, second = (record.message for record in caplog.records)
    assert first == (
        "failed to reload tensorflow.serving.ModelServerConfig: "
        "line 4, column 1: must go on to a '}', got the end of the text."
    )
    assert second.startswith("Failed to read ModelServerConfig file: ")
    assert "No such file or directory" in second


def test_a_label_that_had_to_wait_is_set_later(world: World, tmp_path: Path) -> None:
    async def scenario() -> None:
        world.put("a", 1, 10)
        path = tmp_path / "models.config"
        path.write_text(write_models([world.config("a")]))
        file = ConfigFile(path)
        manager = world.manager(*file.models())
        await manager.start()
        path.write_text(write_models([world.config("a", labels={"stable": 2})]))
        task = watching(file, manager)
        world.put("a", 2, 20)
        looking = asyncio.create_task(manager.run())
        await until(lambda: manager.history[-1][1].labels == {"a": {"stable": 2}})
        assert world.ask("a", label="stable") == 20
        task.cancel()
        looking.cancel()
        await manager.close()

    run(scenario())


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "models.config"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BadInputError, match="must be UTF-8 text"):
        ConfigFile(path).models()
    with pytest.raises(BadInputError, match="No such file or directory"):
        ConfigFile(tmp_path / "gone").models()
