"""A fleet of one process: what a worker does, and all there is where no workers are needed."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from workbench.serve.versions.fleet import LoadError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from workbench.serve.models import Models
    from workbench.serve.servable import Servable, State


_NOBODY = 2  # references to a version that only its unloading holds: its variable, and the count's own argument
_LOOK_SECONDS = 0.005
_LONGEST_SECONDS = 2.0


class LocalFleet:
    """Implements `Fleet` over the models of this process; its calls belong to one event loop."""

    def __init__(self, models: Models, make: Callable[[str, int, Path], Servable]) -> None:
        """Hold nothing yet.

        Args:
            models: Where versions go that answer.
            make: Makes a version, not loaded, of its model's name, its number and its folder.
        """
        self.on_lost: Callable[[str, int, str], None] = lambda *_: None  # what this process holds it keeps
        self._models = models
        self._make = make
        self._waiting: dict[tuple[str, int], Servable] = {}

    async def load(self, name: str, version: int, path: Path) -> None:
        """Load and warm up a version; it does not answer yet.

        Raises:
            LoadError: It cannot be loaded.
        """
        self._models.show(name, version, "LOADING")
        servable = self._make(name, version, path)
        await asyncio.to_thread(servable.load)
        if servable.error is not None:
            raise LoadError(servable.error)
        self._waiting[name, version] = servable

    async def serve(self, name: str, version: int) -> None:
        """Answer with a version that is loaded."""
        servable = self._waiting.pop((name, version), None)
        if servable is not None:
            self._models.add(servable)

    async def unload(self, name: str, version: int) -> None:
        """Let the requests in flight finish, then free a version."""
        servable = self._waiting.pop((name, version), None)
        model = self._models.model(name)
        if servable is None and model is not None:
            servable = model.versions.get(version)
        if servable is None:
            return
        del model
        self._models.remove(name, version)
        self._models.show(name, version, "UNLOADING")
        # A request holds its version from the moment it has found it until its reply is written, also while its body is
        # read or it waits for a thread, where the version itself cannot know of it yet.
        until = asyncio.get_running_loop().time() + _LONGEST_SECONDS
        while sys.getrefcount(servable) > _NOBODY and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)
        await asyncio.to_thread(servable.close)
        self._models.show(name, version, "END")

    async def show(self, name: str, version: int, state: State, error: str = "") -> None:
        """List a version that is not loaded."""
        self._models.show(name, version, state, error)

    async def label(self, name: str, labels: Mapping[str, int]) -> None:
        """Replace all labels of a model."""
        self._models.set_labels(name, labels)

    async def forget(self, name: str) -> None:
        """Drop a model."""
        self._models.forget(name)
