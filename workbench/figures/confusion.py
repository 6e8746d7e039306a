"""Which class was taken for which."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.figures.style import Theme, styled

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.core.records import Evaluation

_TOP = {"light": "#0072B2", "dark": "#56B4E9"}


def confusion(record: Evaluation, theme: Theme = "light") -> go.Figure:
    """Draw counts (rows: true class, columns: predicted), coloured by their share of the true class."""
    import plotly.graph_objects as go

    labels = [score.label for score in record.classes]
    shares = [[count / max(1, sum(row)) for count in row] for row in record.confusion]
    figure = go.Figure(
        go.Heatmap(
            x=labels,
            y=labels,
            z=shares,
            text=[[str(count) if count else "" for count in row] for row in record.confusion],
            texttemplate="%{text}",
            customdata=record.confusion,
            hovertemplate="true %{y}, predicted %{x}: %{customdata} (%{z:.1%})<extra></extra>",
            colorscale=[[0, "rgba(0,0,0,0)"], [1, _TOP[theme]]],
            zmin=0,
            zmax=1,
            showscale=False,
            xgap=1,
            ygap=1,
        )
    )
    styled(figure, theme, title=f"confusion on {record.split} ({record.accuracy.total:,} samples)", height=440)
    figure.update_xaxes(title_text="predicted", type="category", showgrid=False)
    figure.update_yaxes(title_text="true", type="category", autorange="reversed", showgrid=False)
    return figure
