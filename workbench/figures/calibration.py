"""Does the model know when it does not know?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.language import _
from workbench.figures.style import BLUE, Theme, styled

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.core.records import Evaluation


def calibration(record: Evaluation, theme: Theme = "light") -> go.Figure:
    """Draw the reliability diagram: accuracy against confidence, the diagonal is perfect."""
    import plotly.graph_objects as go

    bins = [bin_ for bin_ in record.calibration if bin_.count]
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dot", "width": 1, "color": "gray"},
        name=_("perfect"), hoverinfo="skip",
    )  # fmt: skip
    figure.add_scatter(
        x=[bin_.confidence for bin_ in bins],
        y=[bin_.accuracy for bin_ in bins],
        customdata=[bin_.count for bin_ in bins],
        mode="lines+markers",
        line={"color": BLUE},
        name=_("measured"),
        hovertemplate=_("confidence {x}: accuracy {y} on {n} samples").format(
            x="%{x:.2f}", y="%{y:.2f}", n="%{customdata}"
        )
        + "<extra></extra>",
    )
    styled(
        figure, theme, title=_("calibration (expected error {error})").format(error=f"{record.calibration_error:.3f}")
    )
    figure.update_xaxes(title_text=_("confidence"), range=[0, 1.02])
    figure.update_yaxes(title_text=_("accuracy"), range=[0, 1.02])
    return figure
