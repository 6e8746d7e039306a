"""How long a notebook may take."""

from __future__ import annotations

import os
from typing import TypeVar

Value = TypeVar("Value")


def pace(usual: Value, fast: Value) -> Value:
    """Return what a notebook usually works with, or the smaller thing where `WORKBENCH_FAST=1` asks it to be quick."""
    return fast if os.environ.get("WORKBENCH_FAST", "") not in ("", "0") else usual
