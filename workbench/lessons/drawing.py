"""Pieces of figures as plotly's JSON: made of plain dictionaries, they cost no import and no validation at a move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.figures.style import BLUE, ORANGE, RED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

__all__ = ["BLUE", "INK", "ORANGE", "RED", "axis", "bare", "curve", "dot", "note", "shades", "sigmoid", "slider"]

INK = "#24292f"


def sigmoid(z: ArrayLike) -> NDArray[np.float64]:
    """Return 1 / (1 + e^-z), in the shape of z."""
    return np.asarray(1 / (1 + np.exp(-np.asarray(z))))


def slider(name: str, label: str, low: float, high: float, step: float, start: float) -> dict[str, Any]:
    """Declare a slider over a range."""
    return {"name": name, "label": label, "low": low, "high": high, "step": step, "start": start}


def curve(
    x: Iterable[float], y: Iterable[float], name: str, color: str = BLUE, *, dash: str = "solid", width: float = 2.5
) -> dict[str, Any]:
    """Draw a line with a name in the legend."""
    line = {"color": color, "width": width, "dash": dash}
    return {"type": "scatter", "mode": "lines", "x": [*map(float, x)], "y": [*map(float, y)], "name": name,
            "line": line, "hovertemplate": "%{x:.3g}, %{y:.3g}<extra></extra>"}  # fmt: skip


def dot(x: float, y: float, text: str, color: str = RED) -> dict[str, Any]:
    """Draw a point with a word above it."""
    return {"type": "scatter", "mode": "markers+text", "x": [float(x)], "y": [float(y)], "text": [text],
            "textposition": "top center", "marker": {"size": 13, "color": color}, "showlegend": False,
            "cliponaxis": False, "hovertemplate": "%{x:.3g}, %{y:.3g}<extra></extra>"}  # fmt: skip


def axis(title: str, low: float, high: float) -> dict[str, Any]:
    """Describe an axis that keeps its range whatever moves."""
    return {"title": {"text": title}, "range": [low, high]}


def bare(**more: Any) -> dict[str, Any]:
    """Describe an axis that is not seen."""
    hidden = dict.fromkeys(("showgrid", "zeroline", "showticklabels", "showline"), False)
    return {**hidden, "ticks": "", "fixedrange": True, **more}


def note(text: str, x: float, y: float, **more: Any) -> dict[str, Any]:
    """Write a word at a point of the figure's axes."""
    return {"text": text, "x": x, "y": y, "showarrow": False, **more}


def shades(values: NDArray[np.float64], most: float, place: str = "", *, texts: Any = None) -> dict[str, Any]:
    """Draw a matrix as shades, its first row on top: blue above zero, orange below, the page's ground at zero.

    Args:
        values: (rows, columns).
        most: What is as blue as can be.
        place: Number of its axes; empty for the first.
        texts: A word a cell.
    """
    scale = [[0, ORANGE], [0.5, "rgba(128,128,128,0)"], [1, BLUE]]
    shown: dict[str, Any] = {
        "type": "heatmap", "z": values.tolist(), "zmin": -most, "zmax": most, "colorscale": scale, "showscale": False,
        "xgap": 1, "ygap": 1, "xaxis": f"x{place}", "yaxis": f"y{place}",
        "hovertemplate": "%{y}, %{x}: %{z:.3g}<extra></extra>",
    }  # fmt: skip
    # Paler where words stand on it, so that the ink is read on each shade, by day and by night.
    words = {"text": texts, "texttemplate": "%{text}", "textfont": {"color": INK}, "opacity": 0.55}
    return shown if texts is None else shown | words
