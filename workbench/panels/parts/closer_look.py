"""What is behind a point: why its file is not smaller or faster, and which samples pay for it."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.artifact import Artifact
from workbench.core.language import _
from workbench.panels.base import grid, stack
from workbench.widgets.action_bar import ActionBar
from workbench.widgets.data_table import DataTable
from workbench.widgets.picture_row import PictureRow
from workbench.widgets.remarks import Remarks

if TYPE_CHECKING:
    from workbench.compress.preview import Preview, PreviewSettings
    from workbench.core.records import Damage
    from workbench.core.records.ledger import Ledger
    from workbench.datasets import Dataset

_FOUR = 4


class CloserLook:
    """Ledger and damage of one point.

    Attributes:
        remarks: The ledger in words.
        actions: Button `damage`.
        flips: The samples that were answered rightly before.
    """

    def __init__(self) -> None:
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
        self.widget = grid("halves", self.remarks, stack(self.flips, self.actions, self.classes))

    def clear(self) -> None:
        """Another model is looked at."""
        self.remarks.items = []
        self.forget_damage()
        self.actions.change("damage", enabled=False)

    def forget_damage(self) -> None:
        """Take away what another point cost."""
        self.classes.rows = []
        with self.flips.hold_sync():
            self.flips.pictures, self.flips.caption = [], ""

    def show_ledger(self, found: Ledger) -> None:
        """Say what keeps the file from being smaller or faster."""
        self.remarks.items = [
            {"topic": finding.topic.replace("_", " "), "text": finding.text} for finding in found.findings
        ] or [{"topic": "", "text": _("Nothing stands out.")}]

    def show_damage(self, found: Damage, label: str) -> None:
        """Show who pays."""
        pictures = [
            {
                "png": flip.thumbnail,
                "name": f"{flip.label} → {flip.variant_label}",
                "detail": _("number {n}").format(n=flip.index),
            }
            for flip in found.flips
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
