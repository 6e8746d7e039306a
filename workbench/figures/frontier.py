"""What accuracy costs in bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.figures.style import BLUE, ORANGE, RED, Theme, styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

    from workbench.core.records import Repeated, SweepPoint, Variant

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


def sweep_frontier(
    points: Sequence[SweepPoint], members: Sequence[SweepPoint | Repeated] = (), theme: Theme = "light"
) -> go.Figure:
    """Draw a sweep's points, accuracy with its interval against gzip'd bytes; those of the frontier are joined.

    Args:
        points: Points of a sweep, under way or done; failed ones are left out.
        members: What `Sweep.frontier` gave; where they are means over seeds, all repetitions of a member are marked.
        theme: Of the page.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    chosen = {member.configuration for member in members}
    measured = [(point, point.variant) for point in points if point.variant is not None]
    groups = (("measured", ORANGE, 7, False), ("frontier", BLUE, 10, True))
    for name, colour, size, wanted in groups:
        found = (each for each in measured if (each[0].configuration in chosen) is wanted)
        rows = sorted(
            ((variant.sizes.gzip, variant.accuracy, point.label) for point, variant in found), key=lambda row: row[0]
        )
        if not rows:
            continue
        figure.add_scatter(
            x=[gzip / 1000 for gzip, _, _ in rows],
            y=[100 * share.value for _, share, _ in rows],
            error_y={
                "array": [100 * (share.high - share.value) for _, share, _ in rows],
                "arrayminus": [100 * (share.value - share.low) for _, share, _ in rows],
                "width": 3,
                "thickness": 1,
            },
            text=[label for _, _, label in rows],
            mode="lines+markers" if wanted else "markers",
            line={"width": 1, "shape": "hv"},
            marker={"color": colour, "size": size},
            name=name,
            hovertemplate="%{text}<br>%{x:.1f} kB gzip'd<br>accuracy %{y:.2f} %<extra></extra>",
        )
    styled(figure, theme, title="accuracy against size", height=380)
    figure.update_xaxes(title_text="kB, gzip'd", rangemode="tozero")
    figure.update_yaxes(title_text="accuracy, %")
    return figure
