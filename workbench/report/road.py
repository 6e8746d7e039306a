"""The whole road as one HTML file that opens offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.workspace import write_atomic
from workbench.report.table import variants_table

if TYPE_CHECKING:
    from pathlib import Path

    import plotly.graph_objects as go

    from workbench.core.records import RoadReport


def write_report(report: RoadReport, path: Path) -> Path:
    """Render a road's records into one file and return its path; plotly's own script is inside it."""
    from jinja2 import Environment, PackageLoader
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

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
    environment = Environment(loader=PackageLoader("workbench.report", "."), autoescape=True)
    html = environment.get_template("road.html.j2").render(
        report=report,
        table=variants_table(report.variants),
        figures={name: Markup(_fragment(figure)) for name, figure in figures.items()},  # noqa: S704 - plotly's own
        plotly_js=Markup(get_plotlyjs()),  # noqa: S704 - the script of the installed package
    )
    write_atomic(path, html)
    return path


def _fragment(figure: go.Figure) -> str:
    config = {
        "displayModeBar": False,
        "displaylogo": False,
        "showSendToCloud": False,
        "plotlyServerURL": "",
        "responsive": True,
    }
    text: str = figure.to_html(full_html=False, include_plotlyjs=False, config=config)
    return text
