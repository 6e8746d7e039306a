"""A bar that says how far a thing is and how long it will still take."""

from __future__ import annotations

import traitlets

from workbench.widgets.base import Leaf


class Progress(Leaf, asset="progress"):
    """Progress with time left.

    Attributes:
        share: Done, in [0, 1]; below 0 means that nobody knows yet.
        text: What is being done, e.g. `Epoch 3 of 5`.
        seconds_left: Estimate; None shows none.
        active: False draws the bar at rest.
        tone: Colour: `accent`, `good`, `bad` or `warn`.
    """

    share = traitlets.Float(0.0).tag(sync=True)
    text = traitlets.Unicode("").tag(sync=True)
    seconds_left = traitlets.Float(None, allow_none=True).tag(sync=True)
    active = traitlets.Bool(default_value=False).tag(sync=True)
    tone = traitlets.Enum(("accent", "good", "bad", "warn"), "accent").tag(sync=True)
