"""What accuracy costs in bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.figures.style import BLUE, RED, Theme, styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

    from workbench.core.records import Variant

# Neighbours differ little in accuracy; their names do not lie on each other where they take turns.
_SIDES = ("top right", "bottom right", "top left", "bottom left")


def frontier(records: Sequence[Variant], theme: Theme = "light") -> go.Figure:
    """Draw accuracy with its interval against gzip'd bytes; a variant that failed its gate is a red cross."""
    import plotly.graph_objects as go

    figure = go.Figure()
    groups = (("gate passed", BLUE, "circle", True), ("gate failed", RED, "x", False))
    for name, colour, symbol, wanted in groups:
        rows = [v for v in records if (v.verdict is None or v.verdict.passed) is wanted]
        if not rows:
            continue
        figure.add_scatter(
            x=[v.sizes.gzip / 1000 for v in rows],
            y=[100 * v.accuracy.value for v in rows],
            error_y={
                "array": [100 * (v.accuracy.high - v.accuracy.value) for v in rows],
                "arrayminus": [100 * (v.accuracy.value - v.accuracy.low) for v in rows],
                "width": 3,
                "thickness": 1,
            },
            text=[v.name for v in rows],
            mode="markers+text",
            textposition=[_SIDES[i % len(_SIDES)] for i in range(len(rows))],
            textfont={"size": 11},
            cliponaxis=False,
            marker={"color": colour, "symbol": symbol, "size": 10},
            name=name,
            hovertemplate="%{text}<br>%{x:.1f} kB gzip'd<br>accuracy %{y:.2f} %<extra></extra>",
        )
    styled(figure, theme, title="accuracy against size", height=380)
    figure.update_xaxes(title_text="kB, gzip'd", rangemode="tozero")
    figure.update_yaxes(title_text="accuracy, %")
    return figure
