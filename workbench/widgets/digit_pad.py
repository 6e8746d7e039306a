"""A pad to draw on with a mouse, a pen or a finger."""

from __future__ import annotations

import traitlets
from ipywidgets.widgets.trait_types import bytes_serialization

from workbench.widgets.base import Leaf


class DigitPad(Leaf, asset="digit_pad"):
    """A square to draw on; what is drawn comes here while it is drawn, at most ten times a second, and at its end.

    Attributes:
        side: Pixels a side of what comes here.
        pixels: One byte a pixel, row by row, 255 is ink; empty while nothing is drawn.
        stroke: Number of what came last, by which answers to it can be known.
        enabled: Whether one can draw.
    """

    side = traitlets.Int(112).tag(sync=True)
    # Nobody else changes them: sending them back would only delay the answers.
    pixels = traitlets.Bytes(b"").tag(sync=True, echo_update=False, **bytes_serialization)
    stroke = traitlets.Int(0).tag(sync=True, echo_update=False)
    enabled = traitlets.Bool(default_value=True).tag(sync=True)
