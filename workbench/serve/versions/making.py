"""How a server makes the versions that it is to load."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from workbench.serve.engines import open_engine
from workbench.serve.servable import Servable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.serve.counters import Counters
    from workbench.serve.settings import ServeSettings


def maker(settings: ServeSettings, counters: Counters) -> Callable[[str, int, Path], Servable]:
    """Return what makes a version, not loaded, of its model's name, its number and its folder.

    Args:
        settings: How engines are opened.
        counters: Where warm-ups are counted.
    """

    def make(name: str, version: int, path: Path) -> Servable:
        opened = partial(open_engine, path, settings.threads, foreign=settings.foreign, trust=settings.trust)
        return Servable(name, version, opened, counters)

    return make
