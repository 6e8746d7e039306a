"""One neuron: a weighted sum, and the sigmoid that it goes through."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from workbench.core.language import N_, _
from workbench.lessons.base import Demonstration, Drawn
from workbench.lessons.drawing import BLUE, ORANGE, axis, curve, dot, sigmoid, slider

if TYPE_CHECKING:
    from collections.abc import Mapping

_END = 8.0
_Z = np.linspace(-_END, _END, 129)


class Neuron(Demonstration):
    """z = w x + b, a = σ(z), and the slope of the sigmoid there."""

    title: ClassVar = N_("A neuron and its sigmoid")
    sliders: ClassVar = (
        slider("input", N_("input x"), -3, 3, 0.1, 1.0),
        slider("weight", N_("weight w"), -3, 3, 0.1, 1.5),
        slider("bias", N_("bias b"), -3, 3, 0.1, -0.5),
    )

    def draw(self, values: Mapping[str, float]) -> Drawn:
        """Draw the sigmoid with the neuron's point and tangent on it."""
        x, w, b = (values[name] for name in ("input", "weight", "bias"))
        z = w * x + b
        a = float(sigmoid(z))
        slope = a * (1 - a)
        near = np.array([z - 1.5, z + 1.5])
        figure = {
            "data": [
                curve(_Z, sigmoid(_Z), "a = σ(z)", BLUE),
                curve(near, a + slope * (near - z), _("its slope σ′(z)"), ORANGE),
                dot(np.clip(z, -_END, _END), a, f"a = {a:.3f}"),
            ],
            "layout": {
                "xaxis": axis("z", -_END, _END),
                "yaxis": axis("a", -0.15, 1.2),
                "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
            },
        }
        told = f"z = w·x + b = {w:.1f}·{x:.1f} + {b:.1f} = {z:.2f}; a = σ(z) = {a:.3f}; σ′(z) = {slope:.3f}"
        return Drawn(figure, told, {"z": z, "a": a, "σ′(z)": slope})
