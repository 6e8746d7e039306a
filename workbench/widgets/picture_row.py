"""Small pictures, each with a line or two under it."""

from __future__ import annotations

import traitlets

from workbench.widgets.base import Leaf


class PictureRow(Leaf, asset="picture_row"):
    """Pictures that wrap like words.

    Attributes:
        title: What they are.
        pictures: One dictionary a picture: `png` (base64; empty shows the words alone), `name` and `detail`.
        caption: One line under the title.
        empty: What is said while there are none; without it the widget is hidden until then.
    """

    title = traitlets.Unicode("").tag(sync=True)
    pictures = traitlets.List(traitlets.Dict()).tag(sync=True)
    caption = traitlets.Unicode("").tag(sync=True)
    empty = traitlets.Unicode("").tag(sync=True)
