"""Two inputs, two hidden neurons, one output: numbers that go forward, slopes that come back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from workbench.core.language import N_, _
from workbench.lessons.base import Demonstration, Drawn
from workbench.lessons.drawing import BLUE, INK, ORANGE, bare, note, sigmoid, slider

if TYPE_CHECKING:
    from collections.abc import Mapping

_KERNEL, _BIAS = np.array([[0.8, -0.6], [0.5, 0.9]]), np.array([0.1, -0.2])
_OUT, _OUT_BIAS = np.array([1.2, -0.7]), 0.1
_PLACES = {"x1": (0, 1), "x2": (0, 0), "h1": (1, 1), "h2": (1, 0), "out": (2, 0.5)}
_BACK = 1


class Network(Demonstration):
    """Forward: weights on the edges, outputs on the nodes. Backward: the loss's slopes by both."""

    title: ClassVar = N_("Forward and backward through a network")
    sliders: ClassVar = (
        {"name": "way", "label": N_("direction"), "start": 0,
         "stops": [{"value": 0, "label": N_("forward")}, {"value": _BACK, "label": N_("backward")}]},
        slider("x1", N_("input x₁"), -2, 2, 0.1, 1.0),
        slider("x2", N_("input x₂"), -2, 2, 0.1, -0.5),
        slider("target", N_("target y"), 0, 1, 0.05, 1.0),
    )  # fmt: skip

    def draw(self, values: Mapping[str, float]) -> Drawn:
        """Draw the network with the numbers of one direction."""
        x, y = np.array([values["x1"], values["x2"]]), values["target"]
        hidden = sigmoid(x @ _KERNEL + _BIAS)
        out = float(sigmoid(hidden @ _OUT + _OUT_BIAS))
        loss = (out - y) ** 2 / 2
        delta = (out - y) * out * (1 - out)
        deltas = delta * _OUT * hidden * (1 - hidden)
        numbers = {
            "x₁": float(x[0]), "x₂": float(x[1]), "a₁": float(hidden[0]), "a₂": float(hidden[1]), "y′": out, "J": loss,
            "∂J/∂z₁": float(deltas[0]), "∂J/∂z₂": float(deltas[1]), "∂J/∂z": delta,
        }  # fmt: skip
        if values["way"] == _BACK:
            edges, nodes = (np.outer(x, deltas), delta * hidden), (None, None, *deltas, delta)
            told = _(
                "Slopes of the loss J = (y′ − y)²/2 = {loss}: on the nodes by their sums z, on the edges by the weights"
            )
            return Drawn(_figure(edges, nodes, ORANGE), told.format(loss=f"{loss:.4f}"), numbers)
        told = _("On the edges the weights, on the nodes what comes out: y′ = {out} where y = {target} is asked")
        told = told.format(out=f"{out:.3f}", target=f"{y:.2f}")
        return Drawn(_figure((_KERNEL, _OUT), (*x, *hidden, out), BLUE), told, numbers)


def _figure(edges: tuple[np.ndarray, np.ndarray], nodes: tuple[float | None, ...], color: str) -> dict[str, Any]:
    first, second = edges
    lines = [(f"x{i + 1}", f"h{j + 1}", first[i, j]) for i in range(2) for j in range(2)]
    lines += [(f"h{j + 1}", "out", second[j]) for j in range(2)]
    drawn = [_edge(start, end, value, color) for start, end, value in lines]
    names = ["x₁", "x₂", "a₁", "a₂", "y′"] if color == BLUE else ["x₁", "x₂", "∂J/∂z₁", "∂J/∂z₂", "∂J/∂z"]
    texts = ["" if value is None else f"{value:.3f}" for value in nodes]
    x, y = zip(*_PLACES.values(), strict=True)
    dots = {
        "type": "scatter", "mode": "markers", "x": x, "y": y, "marker": {"size": 16, "color": color},
        "showlegend": False, "hoverinfo": "skip",
    }  # fmt: skip
    notes = [
        note(f"{name}<br>{text}" if text else name, place[0], place[1], yshift=32, font={"size": 13, "color": INK})
        for name, text, place in zip(names, texts, _PLACES.values(), strict=True)
    ]
    notes += [_number(*line) for line in lines]
    layout = {"xaxis": bare(range=[-0.25, 2.25]), "yaxis": bare(range=[-0.3, 1.45]), "annotations": notes}
    return {"data": [*drawn, dots], "layout": layout}


def _edge(start: str, end: str, value: float, color: str) -> dict[str, Any]:
    x, y = zip(_PLACES[start], _PLACES[end], strict=True)
    # As wide as it is strong, and never out of sight.
    width = 1 + 4 * min(1.0, abs(float(value)) * (1 if color == BLUE else 12))
    line = {"width": width, "color": color}
    return {"type": "scatter", "mode": "lines", "x": x, "y": y, "line": line, "opacity": 0.45, "showlegend": False,
            "hoverinfo": "skip"}  # fmt: skip


def _number(start: str, end: str, value: float) -> dict[str, Any]:
    # Nearer to the beginning, where the two that cross have parted.
    (left, low), (right, high) = _PLACES[start], _PLACES[end]
    return note(f"{value:.3f}", left + 0.3 * (right - left), low + 0.3 * (high - low), yshift=9, font={"size": 12})
