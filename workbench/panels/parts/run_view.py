"""A training run on screen: how far it is, its curves, its last epoch in figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.language import N_, _
from workbench.panels.base import grid, stack
from workbench.train.following import Following
from workbench.widgets.live_chart import LiveChart
from workbench.widgets.progress import Progress
from workbench.widgets.stat_tiles import StatTiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.core.events import Event
    from workbench.core.records import LearningCurve

TONES = {
    "queued": "accent", "running": "accent", "done": "good", "failed": "bad", "cancelled": "warn", "paused": "warn",
    "lost": "warn",
}  # fmt: skip
_MOST_EPOCHS_AHEAD = 30
_DONE = N_("Done after {n} epochs")
GOING_ON = ("queued", "running")
_SERIES: tuple[dict[str, Any], ...] = (
    {"name": N_("training"), "style": "faint", "color": 0}, {"name": N_("validation"), "style": "points", "color": 1},
)  # fmt: skip


class RunView:
    """Feed it the events of a run; it draws them.

    Attributes:
        widget: What is put on the page.
    """

    def __init__(self) -> None:
        self._known, self._epochs, self._remark = Following(), 0, ""
        self._progress = Progress(label=_("Training"), text=_("Not started"))
        self._accuracy = _chart(_("Accuracy"), _("share right"), y_format="percent", y_range=[None, 1])
        self._loss = _chart(_("Loss"), _("nats a sample"), y_range=[0, None])
        self._tiles = StatTiles(label=_("Last epoch"))
        self.widget = stack(self._progress, grid("halves", self._accuracy, self._loss), self._tiles)

    def begin(self, epochs: int, *, remark: str = "") -> None:
        """Show a run from its beginning.

        Args:
            epochs: How many it will have.
            remark: Said at its end, with `{n}` for its epochs, in place of the usual sentence.
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
        """Mark the epoch whose weights were kept, where it is not the last one, and where patience ended."""
        last = curve.points[-1].epoch
        if curve.best_epoch is None or curve.best_epoch == last:
            return
        marks: list[dict[str, Any]] = [
            {"x": curve.best_epoch, "label": _("epoch {n} was kept").format(n=curve.best_epoch)}
        ]
        if curve.stopped_early:
            # All epochs from the kept one to the last were waited for in vain: that is the patience.
            marks[0]["until"] = last
            marks.append(
                {"x": last, "label": _("stopped after {n} epochs of patience").format(n=last - curve.best_epoch)}
            )
        for chart in (self._accuracy, self._loss):
            chart.marks = marks
        if curve.stopped_early:
            self.say(
                _("Stopped early after {n} epochs: val_loss no longer fell").format(n=last), share=1.0, tone="good"
            )

    def _words(self, state: str) -> str:
        done = len(self._known.epochs)
        return {
            "queued": _("Waiting for a worker"),
            "running": self._running(),
            "done": _(self._remark or _DONE).format(n=done),
            "failed": _("Failed"),
            "cancelled": _("Cancelled after {n} of {total} epochs").format(n=done, total=self._epochs),
            "paused": _("Paused after {n} of {total} epochs").format(n=done, total=self._epochs),
            "lost": _("Stopped after {n} of {total} epochs").format(n=done, total=self._epochs),
        }[state]

    def _running(self) -> str:
        known = self._known
        if not known.label:
            return _("Loading the data and the model")
        return _("Epoch {n} of {total}").format(n=min(len(known.epochs) + 1, self._epochs), total=self._epochs)

    def _stretch(self, epochs: int | None) -> None:
        # What is still to come is shown while it may come, unless it would leave no room for what is there.
        end = epochs if epochs is not None and epochs <= _MOST_EPOCHS_AHEAD else None
        for chart in (self._accuracy, self._loss):
            chart.x_range = [0, end]

    def _draw(self) -> None:
        known = self._known
        for chart, measure in ((self._accuracy, "accuracy"), (self._loss, "loss")):
            chart.show({_("training"): known.steps(measure), _("validation"): known.validation(measure)})
        self._tiles.tiles = _tiles(known)


def percent(share: float) -> str:
    """Write a share with two decimals, e.g. `98.72 %`."""
    return f"{100 * share:.2f} %"


def _chart(title: str, unit: str, **traits: Any) -> LiveChart:
    return LiveChart(
        [{**one, "name": _(one["name"])} for one in _SERIES],
        title=title,
        x_label=_("epoch"),
        y_label=unit,
        x_range=[0, 5],
        empty=_("The curve appears here while a run goes on"),
        **traits,
    )


def _tiles(known: Following) -> list[dict[str, str]]:
    if not known.epochs:
        return []
    last = known.epochs[-1]
    tiles = [
        {"label": _("Training accuracy"), "value": percent(last.accuracy), "detail": _("mean of the epoch")},
        {"label": _("Training loss"), "value": f"{last.loss:.4f}", "detail": _("nats a sample")},
    ]
    if last.val_accuracy is not None and last.val_loss is not None:
        tiles += [
            {"label": _("Validation accuracy"), "value": percent(last.val_accuracy), "detail": _("after the epoch")},
            {"label": _("Validation loss"), "value": f"{last.val_loss:.4f}", "detail": _("nats a sample")},
        ]
    return [
        *tiles,
        {
            "label": _("Time an epoch"),
            "value": _("{s} s").format(s=f"{last.seconds:.1f}"),
            "detail": _("epoch {n}").format(n=last.epoch),
        },
    ]
