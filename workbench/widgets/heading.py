"""A panel's title, a line under it, and a chip with its state."""

from __future__ import annotations

import traitlets

from workbench.widgets.base import Leaf


class Heading(Leaf, asset="heading"):
    """Title row.

    Attributes:
        title: The panel's name.
        subtitle: One line of explanation.
        chip: State in one or two words; empty hides it.
        tone: Colour of the chip: `quiet`, `accent`, `good`, `bad` or `warn`.
    """

    title = traitlets.Unicode("").tag(sync=True)
    subtitle = traitlets.Unicode("").tag(sync=True)
    chip = traitlets.Unicode("").tag(sync=True)
    tone = traitlets.Enum(("quiet", "accent", "good", "bad", "warn"), "quiet").tag(sync=True)
