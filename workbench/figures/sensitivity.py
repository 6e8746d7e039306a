"""Which layer minds what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.figures.style import RED, Theme, styled

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.core.records import Sensitivity

_ROW, _FRAME = 34, 150
# A drop of so much is the darkest: beyond it a layer is broken anyway.
_DARKEST = 0.2


def sensitivity(record: Sensitivity, theme: Theme = "light") -> go.Figure:
    """Draw the loss of accuracy in points for each layer alone (rows) under each setting (columns)."""
    import plotly.graph_objects as go

    cells = [[record.cell(layer, setting) for setting in record.settings] for layer in record.layers]
    figure = go.Figure(
        go.Heatmap(
            x=record.settings,
            y=record.layers,
            z=[[None if cell is None else max(0.0, cell.drop) for cell in row] for row in cells],
            text=[["" if cell is None else f"{100 * cell.drop:.1f}" for cell in row] for row in cells],
            texttemplate="%{text}",
            customdata=[
                ["" if cell is None else f"{100 * cell.drop_low:.1f} to {100 * cell.drop_high:.1f}" for cell in row]
                for row in cells
            ],
            hovertemplate="%{y}, %{x}: %{text} points lost (%{customdata})<extra></extra>",
            hoverongaps=False,
            colorscale=[[0, "rgba(0,0,0,0)"], [1, RED]],
            zmin=0,
            zmax=_DARKEST,
            showscale=False,
            xgap=1,
            ygap=1,
        )
    )
    title = f"points lost, one layer at a time ({record.images:,} of {record.total:,} test samples)"
    styled(figure, theme, title=title, height=_FRAME + _ROW * len(record.layers))
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False)
    return figure
