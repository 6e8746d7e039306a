"""What is known of one version of a model, and when one that failed to load is tried again."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.serve.servable import State
    from workbench.serve.versions.source import Fingerprint


@dataclass(frozen=True)
class Retries:
    """When a version that failed to load is tried again.

    Attributes:
        most: Times after the first failure; files that change begin a new count.
        seconds: Pause before each.
        clock: Seconds that only grow.
    """

    most: int = 5
    seconds: float = 60.0
    clock: Callable[[], float] = time.monotonic


@dataclass
class Version:
    """What is known of a version.

    Attributes:
        path: Its folder.
        state: Where it is in its life.
        error: Why it could not be loaded; empty where it could, or was not tried.
        failures: Times it could not, since its files last changed.
        retry_at: When it is tried again, on the clock of `Retries`; None for never.
        failed_as: Its files as they were when it was tried.
        seen_as: Its files at the last look.
    """

    path: Path
    state: State = "START"
    error: str = ""
    failures: int = 0
    retry_at: float | None = None
    failed_as: Fingerprint = ()
    seen_as: Fingerprint = ()
