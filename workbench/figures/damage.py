"""Which classes and which layers paid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.figures.style import BLUE, ORANGE, Theme, styled

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.core.records import Damage


def damage(record: Damage, theme: Theme = "light") -> go.Figure:
    """Draw each class' loss of recall with its interval (left) and each layer's signal-to-noise ratio (right)."""
    from plotly.subplots import make_subplots

    layers = [layer for layer in record.layers if layer.snr_db is not None]
    titles = ("recall lost, points", "signal over error, dB") if layers else ("recall lost, points",)
    figure = make_subplots(rows=1, cols=len(titles), subplot_titles=titles, horizontal_spacing=0.12)
    classes = record.classes
    figure.add_scatter(
        x=[each.label for each in classes],
        y=[100 * each.drop for each in classes],
        error_y={
            "array": [100 * (each.drop_high - each.drop) for each in classes],
            "arrayminus": [100 * (each.drop - each.drop_low) for each in classes],
            "width": 3,
            "thickness": 1,
        },
        customdata=[(each.lost, each.gained, each.support) for each in classes],
        mode="markers",
        marker={"color": BLUE, "size": 8},
        hovertemplate="%{x}: %{y:.1f} points; of %{customdata[2]} samples %{customdata[0]} lost, "
        "%{customdata[1]} gained<extra></extra>",
        showlegend=False,
        row=1,
        col=1,
    )
    if layers:
        figure.add_bar(
            x=[layer.layer for layer in layers],
            y=[layer.snr_db for layer in layers],
            customdata=[(layer.mse, layer.cosine) for layer in layers],
            marker={"color": ORANGE},
            hovertemplate="%{x}: %{y:.1f} dB, mse %{customdata[0]:.2g}, cosine %{customdata[1]:.4f}<extra></extra>",
            showlegend=False,
            row=1,
            col=2,
        )
    styled(figure, theme, title=f"{record.flipped:,} right answers lost, {record.repaired:,} gained")
    figure.update_xaxes(type="category")
    figure.add_hline(y=0, line={"width": 1, "dash": "dot"}, row=1, col=1)
    return figure
