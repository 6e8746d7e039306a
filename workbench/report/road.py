"""The whole road as one HTML file that opens offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.workspace import write_atomic
from workbench.report.page import render_page
from workbench.report.table import variants_table

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.records import RoadReport


def write_report(report: RoadReport, path: Path) -> Path:
    """Render a road's records into one file and return its path; plotly's own script is inside it."""
    from workbench.figures.calibration import calibration
    from workbench.figures.confusion import confusion
    from workbench.figures.frontier import frontier
    from workbench.figures.learning_curve import learning_curve

    figures = {
        "curve": learning_curve(report.curve),
        "confusion": confusion(report.evaluation),
        "calibration": calibration(report.evaluation),
        "frontier": frontier(report.variants),
    }
    html = render_page("road.html.j2", figures, report=report, table=variants_table(report.variants))
    write_atomic(path, html)
    return path
