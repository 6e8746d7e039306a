"""Stages that tests send through the engine; the cluster finds this file through PYTHONPATH."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.jobs import StageContext


def echo(context: StageContext) -> dict[str, Any]:
    """Give back what it was given."""
    return {"echo": context.settings, "resumed": context.resumed, "tensorflow": "tensorflow" in sys.modules}


def first_line(_: StageContext) -> dict[str, float]:
    """Say when its first line ran."""
    return {"time": time.time()}
