"""A training run on screen: how far it is, its curves, its last epoch in figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.panels.base import grid, stack
from workbench.train.following import Following
from workbench.widgets.live_chart import LiveChart
from workbench.widgets.progress import Progress
from workbench.widgets.stat_tiles import StatTiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.core.events import Event
    from workbench.core.records import LearningCurve

TONES = {"queued": "accent", "running": "accent", "done": "good", "failed": "bad", "cancelled": "warn", "lost": "warn"}
_MOST_EPOCHS_AHEAD = 30
GOING_ON = ("queued", "running")
_SERIES = ({"name": "training", "style": "faint", "color": 0}, {"name": "validation", "style": "points", "color": 1})


class RunView:
    """Feed it the events of a run; it draws them.

    Attributes:
        widget: What is put on the page.
    """

    def __init__(self) -> None:
        self._known, self._epochs, self._remark = Following(), 0, ""
        self._progress = Progress(label="Training", text="Not started")
        self._accuracy = _chart("Accuracy", "share right", y_format="percent", y_range=[None, 1])
        self._loss = _chart("Loss", "nats a sample", y_range=[0, None])
        self._tiles = StatTiles(label="Last epoch")
        self.widget = stack(self._progress, grid("halves", self._accuracy, self._loss), self._tiles)

    def begin(self, epochs: int, *, remark: str = "") -> None:
        """Show a run from its beginning.

        Args:
            epochs: How many it will have.
            remark: Said beside its end.
        """
        self._known, self._epochs, self._remark = Following(), epochs, remark
        for chart in (self._accuracy, self._loss):
            chart.marks = []
        self._stretch(epochs)
        self._draw()

    def feed(self, events: Sequence[Event], state: str) -> None:
        """Draw what is new; `state` is the run's."""
        self._known.feed(events)
        self._draw()
        known = self._known
        if state not in GOING_ON:
            self._stretch(None)
        share = known.share if known.share is not None else (-1.0 if state in GOING_ON else 0.0)
        self.say(
            self._words(state),
            share=1.0 if state == "done" else share,
            tone=TONES[state],
            left=known.seconds_left,
            active=state in GOING_ON,
        )

    def say(
        self, text: str, *, share: float = 0.0, tone: str = "accent", left: float | None = None, active: bool = False
    ) -> None:
        """Say how it stands; a share below 0 means that nobody knows yet."""
        with self._progress.hold_sync():
            self._progress.text, self._progress.share, self._progress.seconds_left = text, share, left
            self._progress.tone, self._progress.active = tone, active

    def conclude(self, curve: LearningCurve) -> None:
        """Mark the epoch whose weights were kept, where it is not the last one."""
        last = curve.points[-1].epoch
        if curve.best_epoch is None or curve.best_epoch == last:
            return
        for chart in (self._accuracy, self._loss):
            chart.marks = [{"x": curve.best_epoch, "label": f"epoch {curve.best_epoch} was kept"}]
        if curve.stopped_early:
            self.say(f"Stopped early after {last} epochs: val_loss no longer fell", share=1.0, tone="good")

    def _words(self, state: str) -> str:
        done = len(self._known.epochs)
        return {
            "queued": "Waiting for a worker",
            "running": self._known.label.capitalize() or "Loading the data and the model",
            "done": f"Done after {done} epoch{'s' if done > 1 else ''}{self._remark}",
            "failed": "Failed",
            "cancelled": f"Cancelled after {done} of {self._epochs} epochs",
            "lost": f"Stopped after {done} of {self._epochs} epochs",
        }[state]

    def _stretch(self, epochs: int | None) -> None:
        # What is still to come is shown while it may come, unless it would leave no room for what is there.
        end = epochs if epochs is not None and epochs <= _MOST_EPOCHS_AHEAD else None
        for chart in (self._accuracy, self._loss):
            chart.x_range = [0, end]

    def _draw(self) -> None:
        known = self._known
        for chart, measure in ((self._accuracy, "accuracy"), (self._loss, "loss")):
            chart.show({"training": known.steps(measure), "validation": known.validation(measure)})
        self._tiles.tiles = _tiles(known)


def percent(share: float) -> str:
    """Write a share with two decimals, e.g. `98.72 %`."""
    return f"{100 * share:.2f} %"


def _chart(title: str, unit: str, **traits: Any) -> LiveChart:
    return LiveChart(
        _SERIES,
        title=title,
        x_label="epoch",
        y_label=unit,
        x_range=[0, 5],
        empty="The curve appears here while a run goes on",
        **traits,
    )


def _tiles(known: Following) -> list[dict[str, str]]:
    if not known.epochs:
        return []
    last = known.epochs[-1]
    tiles = [
        {"label": "Training accuracy", "value": percent(last.accuracy), "detail": "mean of the epoch"},
        {"label": "Training loss", "value": f"{last.loss:.4f}", "detail": "nats a sample"},
    ]
    if last.val_accuracy is not None and last.val_loss is not None:
        tiles += [
            {"label": "Validation accuracy", "value": percent(last.val_accuracy), "detail": "after the epoch"},
            {"label": "Validation loss", "value": f"{last.val_loss:.4f}", "detail": "nats a sample"},
        ]
    return [*tiles, {"label": "Time an epoch", "value": f"{last.seconds:.1f} s", "detail": f"epoch {last.epoch}"}]
