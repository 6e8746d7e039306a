"""Drift: the last window of requests beside what the model was trained on, in words and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.language import _
from workbench.panels.base import grid, stack
from workbench.panels.parts.moments import clock
from workbench.widgets.data_table import DataTable
from workbench.widgets.pixel_images import PixelImages
from workbench.widgets.progress import Progress
from workbench.widgets.remarks import Remarks

if TYPE_CHECKING:
    from workbench.core.records import DriftReport
    from workbench.core.records.monitor import DriftTest

_ROWS_OF_AN_IMAGE = 2


class DriftView:
    """Words, pictures, class shares, tests.

    Attributes:
        widget: What is put on the page.
    """

    def __init__(self) -> None:
        self._line = Progress(label=_("Drift"), text=_("No server is watched"))
        self._remarks = Remarks(title=_("What differs"))
        self._images = PixelImages(title=_("The mean sample"), side=148)
        self._shares = DataTable(title=_("How often each class is answered"), columns=_share_columns())
        self._tests = DataTable(
            title=_("What was compared"), columns=_test_columns(), empty=_("No window of requests was compared yet")
        )
        self.widget = stack(
            self._line, grid("halves", stack(self._remarks, self._images, self._tests), stack(self._shares))
        )

    def say(self, text: str, *, tone: str = "accent", active: bool = False) -> None:
        """Say why there is nothing, or what is being done."""
        with self._line.hold_sync():
            self._line.text, self._line.tone, self._line.active = text, tone, active
            self._line.share = -1.0 if active else 0.0

    def clear(self, text: str) -> None:
        """Show nothing but a sentence."""
        self._images.images, self._shares.rows, self._tests.rows, self._remarks.items = [], [], [], []
        self.say(text)

    def show(self, report: DriftReport) -> None:
        """Show a window."""
        wrong = sum(test.alarm for test in report.tests)
        alike = _("The last {samples} samples look like the reference.")
        differ = _("{wrong} of {n} comparisons differ in the last {samples} samples")
        said = (differ if report.alarm else alike).format(wrong=wrong, n=len(report.tests), samples=report.samples)
        self.say(said, tone="bad" if report.alarm else "good")
        names = _families()
        self._remarks.items = [{"topic": names[test.family], "text": test.words} for test in report.tests if test.alarm]
        self._images.images = _images(report)
        self._shares.rows = [
            {"label": share.label, "before": share.before, "now": share.now} for share in report.classes
        ]
        self._tests.rows = [_row(test) for test in report.tests]


def _images(report: DriftReport) -> list[dict[str, Any]]:
    before, now = np.array(report.image_before, float), np.array(report.image_now, float)
    if len(report.shape) != _ROWS_OF_AN_IMAGE or before.ndim != _ROWS_OF_AN_IMAGE:
        return []
    # One scale for both, so that a darker window looks darker.
    low = min(before.min(), now.min())
    high = max(before.max(), now.max(), low + 1e-6)
    ended = clock(report.ended)
    return [
        {"title": _("Training"), "detail": _("the reference"), "rows": ((before - low) / (high - low)).tolist()},
        {
            "title": _("Requests"),
            "detail": _("{n} samples until {time}").format(n=report.samples, time=ended),
            "rows": ((now - low) / (high - low)).tolist(),
        },
    ]


def _families() -> dict[str, str]:
    return {
        "input": _("each value of the sample"), "embedding": _("its principal components"),
        "predictions": _("class shares"), "confidence": _("how sure the answers are"),
    }  # fmt: skip


def _row(test: DriftTest) -> dict[str, Any]:
    return {
        "family": _families()[test.family],
        "verdict": _("differs") if test.alarm else _("alike"),
        "statistic": test.statistic,
        "p_value": f"{test.p_value:.2g}",
        "level": f"{test.level:.1g}",
    }


def _share_columns() -> list[dict[str, Any]]:
    return [
        {"name": "label", "label": _("Class")},
        {"name": "before", "label": _("Reference"), "format": "share"},
        {"name": "now", "label": _("Requests"), "format": "share"},
    ]


def _test_columns() -> list[dict[str, Any]]:
    return [
        {"name": "family", "label": _("Compared")},
        {"name": "verdict", "label": _("Verdict")},
        {"name": "statistic", "label": _("Distance"), "format": "number",
         "tooltip": _("Kolmogorov and Smirnov's, the largest; of classes Pearson's chi-squared")},
        {"name": "p_value", "label": _("p-value"), "tooltip": _("Corrected for all comparisons of the family (Holm)")},
        {"name": "level", "label": _("Level"), "tooltip": _("It differs where the p-value is at or below")},
    ]  # fmt: skip
