"""Reads a sweep's folder while it grows: what is new is read, what was read is kept."""

from __future__ import annotations

import contextlib
from time import monotonic
from typing import TYPE_CHECKING

from pydantic import ValidationError

from workbench.core.records import SweepPoint

if TYPE_CHECKING:
    from workbench.sweep.handle import Sweep


class SweepWatch:
    """One sweep that is looked at.

    Attributes:
        handle: The sweep.
        total: How many points it will have.
        points: Those that there are, by key.
        state: How it stood at the last look.
    """

    def __init__(self, handle: Sweep, total: int) -> None:
        self.handle, self.total = handle, total
        self.points: dict[str, SweepPoint] = {}
        self.state = ""
        self._read = 0
        self._began, self._had = monotonic(), 0

    def look(self) -> bool:
        """Read on and say whether there is news."""
        state, before = str(self.handle.state), self._read
        self._read_on()
        news = state != self.state or self._read != before
        if state == "running" and self.state != "running":
            self._began, self._had = monotonic(), len(self.points)
        self.state = state
        return news

    @property
    def seconds_left(self) -> float | None:
        """By the pace since it began to run; None while nobody knows."""
        made = len(self.points) - self._had
        if self.state != "running" or made <= 0:
            return None
        return (monotonic() - self._began) / made * max(0, self.total - len(self.points))

    def _read_on(self) -> None:
        path = self.handle.folder.path / "points.jsonl"
        if not path.is_file() or path.stat().st_size == self._read:
            return
        if path.stat().st_size < self._read:
            self._read, self.points = 0, {}
        with path.open("rb") as file:
            file.seek(self._read)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            with contextlib.suppress(ValidationError):  # what a killed writer left
                point = SweepPoint.model_validate_json(line)
                self.points[point.key] = point
