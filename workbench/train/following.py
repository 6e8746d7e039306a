"""A training run as its events tell it: what a panel or a terminal shows while it goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.core.records import EpochPoint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.core.events import Event

Series = tuple[list[float], list[float]]


@dataclass
class Following:
    """Everything known of one run so far; feed it events in their order.

    Attributes:
        epochs: Finished epochs, each once, in order.
        share: Part of the work that is done, in [0, 1]; None before the first step.
        seconds_left: Estimate from the pace of this attempt; None while there is no pace yet.
        label: What the run says it is doing.
        note: The last remark of the run.
    """

    epochs: list[EpochPoint] = field(default_factory=list)
    share: float | None = None
    seconds_left: float | None = None
    label: str = ""
    note: str = ""
    _steps: list[tuple[float, float, float]] = field(default_factory=list)
    _began: tuple[float, float] | None = None

    def feed(self, events: Iterable[Event]) -> None:
        """Take in what happened since the last call."""
        for event in events:
            take = getattr(self, f"_on_{event.type}", None)
            if take is not None:
                take(event.time, event.data)

    def steps(self, measure: str) -> Series:
        """Return the running mean within each epoch: x in epochs, y of `loss` (nats) or `accuracy` (share)."""
        column = 1 if measure == "loss" else 2
        return [step[0] for step in self._steps], [step[column] for step in self._steps]

    def validation(self, measure: str) -> Series:
        """Return the finished epochs and their validation `loss` or `accuracy`; empty without a validation split."""
        points = [(float(point.epoch), getattr(point, f"val_{measure}")) for point in self.epochs]
        known = [(x, y) for x, y in points if y is not None]
        return [x for x, _ in known], [y for _, y in known]

    def _on_state(self, _time: float, data: dict[str, Any]) -> None:
        if data.get("state") == "running":
            # A new attempt has a pace of its own.
            self._began, self.seconds_left = None, None

    def _on_batch(self, _time: float, data: dict[str, Any]) -> None:
        self._add_step(data["epoch"] - 1 + data["batch"] / data["batches"], data["loss"], data["accuracy"])

    def _on_epoch(self, _time: float, data: dict[str, Any]) -> None:
        point = EpochPoint(**data)
        self.epochs = [*(one for one in self.epochs if one.epoch < point.epoch), point]
        self._add_step(float(point.epoch), point.loss, point.accuracy)

    def _on_progress(self, time: float, data: dict[str, Any]) -> None:
        if not data["total"]:
            return
        self.share, self.label = data["done"] / data["total"], data["label"]
        if self._began is None:
            # From the first step on: what lies before it is tracing and comes only once.
            self._began = (time, self.share)
        took, made = time - self._began[0], self.share - self._began[1]
        self.seconds_left = took / made * (1 - self.share) if made > 0 else None

    def _on_note(self, _time: float, data: dict[str, Any]) -> None:
        self.note = data["text"]

    def _add_step(self, x: float, loss: float, accuracy: float) -> None:
        # A resumed run goes back to its last checkpoint: what it does again takes the place of what it did.
        while self._steps and self._steps[-1][0] >= x:
            self._steps.pop()
        self._steps.append((x, loss, accuracy))
