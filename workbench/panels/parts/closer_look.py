"""What is behind a point: why its file is not smaller or faster, and which samples pay for it."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.artifact import Artifact
from workbench.core.language import _
from workbench.panels.base import grid, stack
from workbench.widgets.action_bar import ActionBar
from workbench.widgets.data_table import DataTable
from workbench.widgets.picture_row import PictureRow
from workbench.widgets.remarks import Remarks

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.compress.preview import Preview, PreviewSettings
    from workbench.core.records import Damage
    from workbench.core.records.ledger import Ledger
    from workbench.datasets import Dataset
    from workbench.panels.base import Panel
    from workbench.panels.parts.fine_tuning import Made
    from workbench.panels.parts.opened_model import OpenedModel

_FOUR = 4
_MOST_PICTURES = 18
_NOT_TIMED = "not_timed"
_SECONDS_OF_REST = 0.6


class CloserLook:
    """Ledger and damage of one point.

    Attributes:
        remarks: The ledger in words.
        actions: Button `damage`.
        flips: The samples that were answered rightly before.
    """

    def __init__(self, panel: Panel) -> None:
        """Build it empty.

        Args:
            panel: Whose threads and error strip it uses.
        """
        self._panel = panel
        self._model: OpenedModel | None = None
        self.remarks = Remarks(
            title=_("Why is it not smaller or faster?"),
            empty=_("The answer stands here once the sliders rest."),
        )
        self.actions = ActionBar(
            label=_("Damage"),
            actions=[
                {"name": "damage", "label": _("Show which samples pay"), "enabled": False,
                 "tooltip": _("Compare the point with the model as it is, sample by sample")},
            ],
        )  # fmt: skip
        self.flips = PictureRow(
            title=_("Right answers that are lost"), empty=_("Ask for them at any point of the sliders.")
        )
        self.classes = DataTable(
            title=_("Who pays, by class"),
            columns=[
                {"name": "label", "label": _("Class")},
                {"name": "lost", "label": _("Lost"), "format": "int", "tooltip": _("Right before, wrong now")},
                {"name": "gained", "label": _("Gained"), "format": "int", "tooltip": _("Wrong before, right now")},
                {"name": "recall", "label": _("Recall now"), "format": "share",
                 "tooltip": _("Of the samples that have this label, the share given it")},
            ],
        )  # fmt: skip
        self.widget = grid("halves", stack(self.remarks, self.actions, self.classes), self.flips)

    def clear(self) -> None:
        """Another model is looked at."""
        self._model = None
        self.remarks.items, self.classes.rows = [], []
        with self.flips.hold_sync():
            self.flips.pictures, self.flips.caption = [], ""
        self.actions.change("damage", enabled=False)

    def begin(self, model: OpenedModel) -> None:
        """Take in the model whose points are looked at."""
        self._model = model
        self.actions.change("damage", enabled=True)

    def account(self, where: PreviewSettings) -> None:
        """Say why the file of a point is not smaller, once the sliders rest there."""
        if (model := self._model) is not None:
            self._panel.latest(
                lambda _outdated: ledger_of(model.preview, where), self._if_shown(model, self.show_ledger),
                self._if_shown(model, self._panel.fail), topic="ledger", pause=_SECONDS_OF_REST,
            )  # fmt: skip

    def compare(self, where: PreviewSettings, label: str) -> None:
        """Show who pays for a point; returns at once."""
        if (model := self._model) is not None:
            self._compare(model, lambda: damage_of(model.preview, where, model.data), label)

    def look_at(self, made: Made) -> None:
        """Account for a point that was fine-tuned, with its time, and show who pays for it; returns at once."""
        from workbench.compress.ledger import ledger
        from workbench.evaluate.damage import damage_between

        if (model := self._model) is None:
            return
        self._panel.latest(
            lambda _outdated: ledger(made.answering, made.data, baseline=made.before),
            self._if_shown(model, self.show_ledger), topic="ledger",
        )  # fmt: skip
        self._compare(model, lambda: damage_between(made.before, made.answering, made.data), made.label)

    def show_ledger(self, found: Ledger) -> None:
        """Say what keeps the file from being smaller or faster."""
        items = [
            {"topic": finding.topic.replace("_", " "), "text": finding.text}
            for finding in found.findings
            if finding.topic != _NOT_TIMED or found.profile is not None
        ]
        if found.profile is None:
            said = _("Neither zeros nor shared values make a call faster; its time is measured once it is fine-tuned.")
            items.append({"topic": _("time"), "text": said})
        self.remarks.items = items

    def _compare(self, model: OpenedModel, work: Callable[[], Damage], label: str) -> None:
        self.actions.change("damage", enabled=False)

        def failed(error: BaseException) -> None:
            self.actions.change("damage", enabled=True)
            self._panel.fail(error)

        then = self._if_shown(model, lambda found: self.show_damage(found, label))
        self._panel.latest(lambda _outdated: work(), then, self._if_shown(model, failed), topic="damage")

    def _if_shown(self, model: OpenedModel, then: Callable[[Any], None]) -> Callable[[Any], None]:
        """Drop what comes after another model was opened."""
        return lambda value: then(value) if model is self._model else None

    def show_damage(self, found: Damage, label: str) -> None:
        """Show who pays."""
        self.actions.change("damage", enabled=True)
        pictures = [
            {
                "png": flip.thumbnail,
                "name": f"{flip.label} → {flip.variant_label}",
                "detail": _("number {n}").format(n=flip.index),
            }
            for flip in found.flips[:_MOST_PICTURES]
        ]
        with self.flips.hold_sync():
            said = _("{label}: {lost} right answers lost, {gained} gained, of {total} test samples; the worst first")
            self.flips.pictures = pictures
            self.flips.caption = said.format(
                label=label, lost=found.flipped, gained=found.repaired, total=f"{found.samples:,}"
            )
        self.classes.rows = [
            {"label": each.label, "lost": each.lost, "gained": each.gained, "recall": each.recall_after}
            for each in sorted(found.classes, key=lambda each: -each.lost)
        ]


def ledger_of(preview: Preview, settings: PreviewSettings) -> Ledger:
    """Account for the bytes of the file that one would write at a point."""
    from workbench.compress.ledger import ledger

    content, bits = preview.candidate(settings).stored.data, settings.weight_bits
    with tempfile.TemporaryDirectory(prefix="workbench-point-") as folder:
        (Path(folder) / "model.onnx").write_bytes(content)
        point = Artifact(
            folder=Path(folder),
            name="point",
            format="onnx",
            numeric="float32" if bits is None else "int4" if bits <= _FOUR else "int8",
            file="model.onnx",
            sha256=hashlib.sha256(content).hexdigest(),
        )
        return ledger(point, timed=False)


def damage_of(preview: Preview, settings: PreviewSettings, data: Dataset) -> Damage:
    """Compare a point with the model as it is."""
    from workbench.evaluate.damage import damage_of_answers

    itself = type(settings)()
    return damage_of_answers(preview.probabilities(itself), preview.probabilities(settings), data)
