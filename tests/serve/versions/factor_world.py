"""A fleet over real models whose version folders hold one number, the model's factor, in a file `factor`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import BadInputError
from workbench.serve.config.model_config import Latest, ModelConfig
from workbench.serve.models import Models, Target
from workbench.serve.servable import Servable
from workbench.serve.signature import DEFAULT, Signature, Tensor
from workbench.serve.versions.local_fleet import LocalFleet
from workbench.serve.versions.manager import Manager
from workbench.serve.versions.version import Retries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


class Factor:
    """An engine that multiplies by the number in its folder's file; the file must end in a dot."""

    platform = "test"

    def __init__(self, folder: Path) -> None:
        file = folder / "factor"
        if not file.is_file() or not file.read_text().endswith("."):
            raise BadInputError.of("factor", rule="must be a file that ends in a dot", got="something else")
        self._factor = float(file.read_text())
        self.signatures = {
            DEFAULT: Signature((Tensor("x", "float32", (-1, 1)),), (Tensor("y", "float32", (-1, 1)),)),
        }

    def run(self, signature: str, feeds: Mapping[str, Any]) -> dict[str, Any]:
        assert signature == DEFAULT
        return {"y": feeds["x"] * self._factor}

    def close(self) -> None: ...


@dataclass
class World:
    """A base folder, a manager over it, and a clock that stands still until it is moved."""

    base: Path
    now: float = 0.0
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.models = Models({})
        self.fleet = LocalFleet(self.models, self._make)
        self.base.mkdir()

    def put(self, name: str, version: str | int, factor: float | str) -> Path:
        """Write a version; a text is written as it is."""
        folder = self.base / name / str(version)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "factor").write_text(factor if isinstance(factor, str) else f"{factor:.0f}.")
        return folder

    def config(self, name: str, **settings: Any) -> ModelConfig:
        return ModelConfig(name=name, base_path=str(self.base / name), **{"policy": Latest(), **settings})

    def manager(self, *configs: ModelConfig, **settings: Any) -> Manager:
        retries = Retries(most=2, seconds=60.0, clock=lambda: self.now)
        return Manager(self.fleet, configs, **{"retries": retries, "poll_seconds": 0.01, **settings})

    def ask(self, name: str, version: int | None = None, label: str | None = None) -> float:
        """Ask a model for its factor."""
        servable = self.models.find(Target(name, version, label))
        return float(servable.run({"x": np.ones((1, 1), np.float32)})["y"][0, 0])

    def states(self, name: str) -> dict[int, str]:
        return {one.version: one.state for one in self.models.listed(Target(name))}

    def error(self, name: str, version: int) -> str | None:
        return self.models.listed(Target(name, version))[0].error

    def _make(self, name: str, version: int, path: Path) -> Servable:
        self.log.append(f"load {name}/{version}")
        servable = Logged(name, version, lambda: Factor(path))
        servable.log = self.log
        return servable


class Logged(Servable):
    """A servable that says when it is closed."""

    log: list[str]

    def close(self) -> None:
        if self.state == "AVAILABLE":
            self.log.append(f"close {self.name}/{self.version}")
        super().close()


def run(work: Any) -> Any:
    """Run a coroutine with a time limit: a test that hangs must fail."""

    async def limited() -> Any:
        async with asyncio.timeout(20):
            return await work

    return asyncio.run(limited())


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds that no event tells of; the time limit is `run`'s."""
    while not holds():  # noqa: ASYNC110 - see above
        await asyncio.sleep(0.005)
