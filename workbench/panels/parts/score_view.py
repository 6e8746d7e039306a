"""An evaluation on the page: its figures, who was taken for whom, scores a class, and whether confidence is right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.language import _
from workbench.panels.parts.run_view import percent
from workbench.widgets.data_table import DataTable
from workbench.widgets.figure import Figure
from workbench.widgets.matrix import Matrix
from workbench.widgets.stat_tiles import StatTiles

if TYPE_CHECKING:
    from workbench.core.records import Evaluation


class ScoreView:
    """Shows one evaluation.

    Attributes:
        tiles: Accuracy with its interval, and three more figures.
        matrix: True against predicted class.
        table: Scores a class.
        calibration: Accuracy against confidence.
    """

    def __init__(self) -> None:
        self.tiles = StatTiles(label=_("Scores"))
        self.matrix = Matrix(
            title=_("Confusion matrix"), row_title=_("true class"), column_title=_("predicted class")
        )  # fmt: skip
        self.table = DataTable(title=_("Scores a class"), columns=_columns())
        self.calibration = Figure(
            title=_("Calibration"), height=320, empty=_("Does it know when it does not know? Evaluate a model.")
        )

    def clear(self) -> None:
        """Show none."""
        self.tiles.tiles, self.table.rows = [], []
        with self.matrix.hold_sync():
            self.matrix.counts, self.matrix.selected = [], []
        self.calibration.clear()

    def show(self, evaluation: Evaluation) -> None:
        """Show an evaluation, but for its calibration, which is drawn by what `drawn` makes."""
        self.tiles.tiles = _tiles(evaluation)
        with self.matrix.hold_sync():
            self.matrix.labels = [score.label for score in evaluation.classes]
            self.matrix.counts, self.matrix.selected = [list(row) for row in evaluation.confusion], []
        self.table.rows = [score.to_json() for score in evaluation.classes]

    def show_calibration(self, evaluation: Evaluation, figure: str) -> None:
        """Show a reliability diagram, as plotly's JSON."""
        bins = [each for each in evaluation.calibration if each.count]
        mean = sum(each.confidence * each.count for each in bins) / sum(each.count for each in bins)
        summary = _(
            "On average it is {confidence} sure and {accuracy} right; the mean gap of both in a bin is {error}."
        ).format(
            confidence=percent(mean), accuracy=percent(evaluation.accuracy.value),
            error=percent(evaluation.calibration_error),
        )  # fmt: skip
        columns = [
            {"name": "bin", "label": _("Confidence from")},
            {"name": "confidence", "label": _("Mean confidence"), "format": "share"},
            {"name": "accuracy", "label": _("Accuracy"), "format": "share"},
            {"name": "count", "label": _("Samples"), "format": "int"},
        ]
        rows = [{"bin": f"{each.low:.2f}", **each.to_json()} for each in bins]
        self.calibration.show(figure, summary, columns, rows)


def drawn(evaluation: Evaluation) -> str:
    """Return the reliability diagram as plotly's JSON; imports plotly, so call it in the background."""
    from workbench.figures.calibration import calibration

    return str(calibration(evaluation, "light").to_json())


def _columns() -> list[dict[str, Any]]:
    return [
        {"name": "label", "label": _("Class")},
        {"name": "precision", "label": _("Precision"), "format": "share",
         "tooltip": _("Of the samples given this label, the share that has it")},
        {"name": "recall", "label": _("Recall"), "format": "share",
         "tooltip": _("Of the samples that have this label, the share given it")},
        {"name": "f1", "label": _("F1"), "format": "share", "tooltip": _("Harmonic mean of precision and recall")},
        {"name": "support", "label": _("Samples"), "format": "int", "tooltip": _("Samples that have this label")},
    ]  # fmt: skip


def _tiles(evaluation: Evaluation) -> list[dict[str, str]]:
    accuracy = evaluation.accuracy
    present = [score for score in evaluation.classes if score.support] or list(evaluation.classes)
    worst = min(present, key=lambda score: score.recall)
    interval = _("[{low}, {high}] measured on {total}").format(
        low=f"{100 * accuracy.low:.1f}", high=f"{100 * accuracy.high:.1f}", total=f"{accuracy.total:,}"
    )
    told = _("{level} % Wilson score interval").format(level=f"{100 * accuracy.level:g}")
    return [
        {"label": _("Accuracy"), "value": percent(accuracy.value), "detail": interval, "tooltip": told},
        {"label": _("Worst class"), "value": worst.label,
         "detail": _("recall {share}").format(share=percent(worst.recall))},
        {"label": _("Log loss"), "value": f"{evaluation.log_loss:.4f}", "detail": _("nats a sample")},
        {"label": _("Calibration error"), "value": percent(evaluation.calibration_error),
         "detail": _("mean gap of confidence and accuracy")},
    ]  # fmt: skip
