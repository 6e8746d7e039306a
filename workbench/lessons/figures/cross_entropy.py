"""What a predicted share costs when the truth is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from workbench.core.language import N_, _
from workbench.lessons.base import Demonstration, Drawn
from workbench.lessons.drawing import BLUE, ORANGE, axis, curve, dot, slider

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

_SHARES = np.linspace(0.005, 0.995, 199)
_TOP = 5.0


class CrossEntropy(Demonstration):
    """The loss of one sample over the share that was predicted, beside half the squared error."""

    title: ClassVar = N_("Cross-entropy over the predicted share")
    sliders: ClassVar = (
        {"name": "label", "label": N_("label y"), "start": 1,
         "stops": [{"value": 0, "label": "0"}, {"value": 1, "label": "1"}]},
        slider("share", N_("predicted share y′"), 0.01, 0.99, 0.01, 0.2),
    )  # fmt: skip

    def draw(self, values: Mapping[str, float]) -> Drawn:
        """Draw the loss for this label, and where it is at this share."""
        y, share = values["label"], values["share"]
        loss, squared = float(_loss(share, y)), (share - y) ** 2 / 2
        figure = {
            "data": [
                curve(_SHARES, _loss(_SHARES, y), _("cross-entropy"), BLUE),
                curve(_SHARES, (_SHARES - y) ** 2 / 2, _("half the squared error"), ORANGE, dash="dash"),
                dot(share, loss, f"{loss:.3f}"),
            ],
            "layout": {
                "xaxis": axis("y′", 0, 1),
                "yaxis": axis("J", -0.2, _TOP),
                "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
            },
        }
        told = _("The label is {label}, {share} was predicted: cross-entropy {loss}, half the squared error {squared}")
        told = told.format(label=int(y), share=f"{share:.2f}", loss=f"{loss:.3f}", squared=f"{squared:.3f}")
        return Drawn(figure, told, {"J": loss, "(y′ − y)²/2": squared})


def _loss(share: ArrayLike, y: float) -> NDArray[np.float64]:
    return np.asarray(-np.log(share if y else 1 - np.asarray(share)))
