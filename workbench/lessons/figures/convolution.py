"""A window that slides over a digit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from workbench.core.language import N_, _
from workbench.lessons.base import Demonstration, Drawn
from workbench.lessons.drawing import RED, bare, note, shades, slider

if TYPE_CHECKING:
    from collections.abc import Mapping

# A five of scikit-learn's digits, grey levels from 0 to 16.
_ROWS = (
    *(
        (0, 5, 12, 13, 16, 16, 2, 0),
        (0, 11, 16, 15, 8, 4, 0, 0),
        (0, 8, 14, 11, 1, 0, 0, 0),
        (0, 8, 16, 16, 14, 0, 0, 0),
    ),
    *((0, 1, 6, 6, 16, 0, 0, 0), (0, 0, 0, 5, 16, 3, 0, 0), (0, 1, 5, 15, 13, 0, 0, 0), (0, 4, 15, 16, 2, 0, 0, 0)),
)
_IMAGE = np.array(_ROWS) / 16
_UPRIGHT = np.array([[1.0, 0.0, -1.0]] * 3)
_KERNELS = (_UPRIGHT, _UPRIGHT.T, np.full((3, 3), 1 / 9))
_LAST = 5
_MOST = (3.0, 3.0, 1.0)  # what each kernel can give at most


class Convolution(Demonstration):
    """Nine products, their sum, and where it stands in the output."""

    title: ClassVar = N_("A window slides over a digit")
    sliders: ClassVar = (
        slider("row", N_("row of the window"), 0, _LAST, 1, 1),
        slider("column", N_("column of the window"), 0, _LAST, 1, 2),
        {"name": "kernel", "label": N_("kernel"), "start": 0, "stops": [
            {"value": 0, "label": N_("upright edges")}, {"value": 1, "label": N_("level edges")},
            {"value": 2, "label": N_("blur")},
        ]},
    )  # fmt: skip

    def draw(self, values: Mapping[str, float]) -> Drawn:
        """Draw the image, the products in the window, and the output of all windows."""
        row, column, which = (int(values[name]) for name in ("row", "column", "kernel"))
        kernel = _KERNELS[which]
        windows = np.lib.stride_tricks.sliding_window_view(_IMAGE, (3, 3))
        output = np.einsum("ijab,ab->ij", windows, kernel)
        products = windows[row, column] * kernel
        texts = [[f"{p:.2f}<br>×{k:.2g}" for p, k in zip(*pair, strict=True)]
                 for pair in zip(windows[row, column], kernel, strict=True)]  # fmt: skip
        data = [shades(_IMAGE, 1), shades(products, 1, "2", texts=texts), shades(output, _MOST[which], "3")]
        layout: dict[str, Any] = {"annotations": [], "shapes": [
            _frame("", column, row, 3), _frame("3", column, row, 1),
        ]}  # fmt: skip
        for place, words, domain in (
            ("", _("image"), (0, 0.31)), ("2", _("image × kernel"), (0.36, 0.64)), ("3", _("output"), (0.69, 1)),
        ):  # fmt: skip
            layout[f"xaxis{place}"] = bare(domain=domain, constrain="domain", anchor=f"y{place}")
            layout[f"yaxis{place}"] = bare(
                autorange="reversed", scaleanchor=f"x{place}", constrain="domain", anchor=f"x{place}"
            )
            layout["annotations"].append(
                note(words, sum(domain) / 2, 1.0, xref="paper", yref="paper", yanchor="bottom", yshift=6)
            )
        total = float(products.sum())
        told = _(
            "The nine products add up to {total}: row {row}, column {column} of the output, counted from 0"
        ).format(total=f"{total:.3f}", row=row, column=column)
        return Drawn({"data": data, "layout": layout}, told, {"Σ": total})


def _frame(place: str, column: int, row: int, side: int) -> dict[str, Any]:
    ends = {"x0": column - 0.5, "x1": column + side - 0.5, "y0": row - 0.5, "y1": row + side - 0.5}
    return {"type": "rect", "xref": f"x{place}", "yref": f"y{place}", **ends, "line": {"color": RED, "width": 3}}
