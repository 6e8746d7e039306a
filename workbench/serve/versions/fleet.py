"""What holds the versions: one process or many, all of which follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from workbench.core.errors import WorkbenchError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from workbench.serve.servable import State


class LoadError(WorkbenchError):
    """A version cannot be loaded; the message is one sentence that clients may read."""


class Fleet(Protocol):
    """All that answer requests; each call returns when every one of them has done what it says.

    Calls for one model come one after another. A call for a version or model that is not held does nothing.

    Attributes:
        on_lost: Is told of a version that was served and that nobody holds any more: model name, number, and why, one
            sentence that clients may read.
    """

    on_lost: Callable[[str, int, str], None]

    async def load(self, name: str, version: int, path: Path) -> None:
        """Load and warm up a version; none serves it yet, a status request shows it as LOADING.

        Args:
            name: Model name.
            version: Its number.
            path: The version's folder.

        Raises:
            LoadError: It cannot be loaded; where others could, they have let it go again.
        """

    async def serve(self, name: str, version: int) -> None:
        """Answer requests with a loaded version: its state becomes AVAILABLE."""

    async def unload(self, name: str, version: int) -> None:
        """Let a version's requests in flight finish, then free it; afterwards a status request shows it as END."""

    async def show(self, name: str, version: int, state: State, error: str = "") -> None:
        """Let a status request list a version that is not loaded.

        Args:
            name: Model name; it becomes known where it was not.
            version: Its number.
            state: START (seen, not loaded yet), LOADING (being tried again) or END.
            error: Why it ended, one sentence; empty where it was unloaded in order.
        """

    async def label(self, name: str, labels: Mapping[str, int]) -> None:
        """Replace all labels of a model."""

    async def forget(self, name: str) -> None:
        """Drop a model that is no longer configured and whose versions are unloaded: requests for it are NOT_FOUND."""
