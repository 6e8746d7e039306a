"""Colours and layout that all figures share: colour-safe, calm, readable on light and dark pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import plotly.graph_objects as go

Theme = Literal["light", "dark"]

# Okabe and Ito (2008), "Color Universal Design": told apart by people with any colour vision.
BLUE, ORANGE, RED = "#0072B2", "#E69F00", "#D55E00"

_INK = {"light": "#24292f", "dark": "#e6e8eb"}
_GRID = {"light": "rgba(31,35,40,.12)", "dark": "rgba(230,232,235,.16)"}


def styled(figure: go.Figure, theme: Theme, *, title: str, height: int = 320) -> go.Figure:
    """Give a figure the house's look and return it; the page's own background shows through."""
    grid = _GRID[theme]
    axis = {"gridcolor": grid, "zerolinecolor": grid, "linecolor": grid, "automargin": True}
    figure.update_layout(
        template="none",
        title={"text": title, "x": 0, "xanchor": "left", "font": {"size": 15}},
        font={"family": "system-ui, sans-serif", "size": 13, "color": _INK[theme]},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        height=height,
        margin={"l": 56, "r": 16, "t": 44, "b": 48},
        hovermode="closest",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
        xaxis=axis,
        yaxis=axis,
    )
    return figure
