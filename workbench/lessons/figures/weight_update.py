"""A weight that walks down its loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from workbench.core.language import N_, _
from workbench.lessons.base import Demonstration, Drawn
from workbench.lessons.drawing import BLUE, ORANGE, axis, curve, dot, slider

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

_TARGET, _LOW, _HIGH, _TOP = 2.0, -2.0, 6.0, 8.0
_W = np.linspace(_LOW, _HIGH, 97)


class WeightUpdate(Demonstration):
    """A linear neuron with the input 1 that should give 2: w ← w - α dJ/dw, some times."""

    title: ClassVar = N_("Steps down the loss")
    sliders: ClassVar = (
        slider("rate", N_("learning rate α"), 0.05, 2.2, 0.05, 0.3),
        slider("steps", N_("steps"), 0, 15, 1, 4),
        slider("start", N_("w at first"), -1.5, 5.5, 0.1, -1.0),
    )

    def draw(self, values: Mapping[str, float]) -> Drawn:
        """Draw the loss over the weight, and the way of the weight on it."""
        rate, steps = values["rate"], int(values["steps"])
        way = [values["start"]]
        for _number in range(steps):
            way.append(way[-1] - rate * (way[-1] - _TARGET))
        walked = curve(way, _loss(way), _("the way of w"), ORANGE, width=1.5)
        walked |= {"mode": "lines+markers", "marker": {"size": 8}}
        end = dot(way[-1], float(_loss(way[-1])), f"w = {way[-1]:.3f}") | {"cliponaxis": True}  # may run away
        figure = {
            "data": [curve(_W, _loss(_W), "J(w)", BLUE), walked, end],
            "layout": {
                "xaxis": axis("w", _LOW, _HIGH),
                "yaxis": axis("J", -0.5, _TOP + 1.5),
                "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
            },
        }
        slope = way[-1] - _TARGET
        told = _("after {steps} steps w = {w}, J = {loss}; the next step: {w} − {rate}·({slope}) = {next}").format(
            steps=steps, w=f"{way[-1]:.3f}", loss=f"{_loss(way[-1]):.4f}", rate=f"{rate:.2f}", slope=f"{slope:.3f}",
            next=f"{way[-1] - rate * slope:.3f}",
        )  # fmt: skip
        return Drawn(figure, told, {"w": way[-1], "J": float(_loss(way[-1])), "∂J/∂w": slope})


def _loss(w: ArrayLike) -> NDArray[np.float64]:
    return np.asarray((np.asarray(w) - _TARGET) ** 2 / 2)
