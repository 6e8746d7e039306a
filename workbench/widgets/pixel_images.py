"""A few small grey images, each of its pixels a square."""

from __future__ import annotations

import traitlets

from workbench.widgets.base import Leaf


class PixelImages(Leaf, asset="pixel_images"):
    """Images side by side.

    Attributes:
        title: What they show.
        images: One dictionary an image: `title`, `rows` (rows of values in [0, 1]) and optionally `detail`.
        side: Longest edge on the page, pixels.
        empty: What is said while there are none; without it the widget is hidden until then.
    """

    title = traitlets.Unicode("").tag(sync=True)
    images = traitlets.List(traitlets.Dict()).tag(sync=True)
    side = traitlets.Int(112).tag(sync=True)
    empty = traitlets.Unicode("").tag(sync=True)
