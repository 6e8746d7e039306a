"""Stages that `jobs.py` sends through the engine; the cluster finds them through PYTHONPATH."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.jobs import StageContext


def first_line(context: StageContext) -> dict[str, Any]:
    """Say when the stage began, and what it has in memory."""
    import psutil

    return {"began": time.time(), "own_bytes": psutil.Process().memory_full_info().uss, "run": context.folder.name}


def hold(context: StageContext) -> None:
    """Stay busy until somebody ends it."""
    context.emit("ready", pid=os.getpid())
    while True:
        sum(range(10_000))
