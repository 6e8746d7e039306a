"""What a widget showed last, kept in the notebook as a picture: seen when it is opened again without a kernel."""

from __future__ import annotations

import base64
import binascii
import os
import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import ipywidgets

    from workbench.widgets.base import Leaf

MOST_BYTES = 60_000
_PNG = b"\x89PNG\r\n\x1a\n"
_MOST_PIXELS = 4000


class Still:
    """A second output beside a widget; the widget's style sheet hides it while the widget lives.

    The script draws the picture and sends it (`still.js`); a notebook keeps the output, but not a widget's state.

    Attributes:
        bundle: What the output holds, by media type.
    """

    def __init__(self, leaf: Leaf, words: Callable[[], str]) -> None:
        """Listen to a widget.

        Args:
            leaf: Its script sends `{type: "still", png: base64, width, height}`.
            words: Says what is to be seen, for those who do not see it.
        """
        self._id, self._words, self._open = f"wb-still-{uuid.uuid4().hex[:12]}", words, False
        self.bundle: dict[str, str] = {"text/plain": ""}
        self._size: dict[str, Any] = {}
        leaf.hear("still", self._keep)

    def open(self) -> None:
        """Give it its place in the output of the cell that is running; nothing happens outside a notebook."""
        if in_notebook():
            from IPython.display import display

            self._open = True
            display(self.bundle, metadata=self._size, raw=True, display_id=self._id)

    def _keep(self, message: dict[str, Any]) -> None:
        picture, sides = _decoded(message.get("png")), (message.get("width"), message.get("height"))
        if picture is None or not all(isinstance(side, int) and 0 < side <= _MOST_PIXELS for side in sides):
            return
        self.bundle = {"image/png": base64.b64encode(picture).decode(), "text/plain": self._words()}
        # JupyterLab marks a picture that is `unconfined` by a class, and by that the widget's style sheet finds it.
        self._size = {"image/png": {"width": sides[0], "height": sides[1], "unconfined": True}}
        if self._open:
            from IPython.display import display

            display(self.bundle, metadata=self._size, raw=True, display_id=self._id, update=True)


def open_stills(root: ipywidgets.Widget) -> None:
    """Open those of a widget and of all that lies in it; called when it is displayed."""
    still = getattr(root, "still", None)
    if isinstance(still, Still):
        still.open()
    for child in getattr(root, "children", ()):
        open_stills(child)


def in_notebook() -> bool:
    """Say whether cells have outputs that somebody keeps: under Jupyter, but not on a dashboard."""
    from IPython.core.getipython import get_ipython

    return hasattr(get_ipython(), "kernel") and not os.environ.get("SERVER_SOFTWARE", "").startswith("voila/")


def _decoded(png: Any) -> bytes | None:
    if not isinstance(png, str) or len(png) > 2 * MOST_BYTES:
        return None
    try:
        data = base64.b64decode(png, validate=True)
    except (ValueError, binascii.Error):
        return None
    return data if data.startswith(_PNG) and len(data) <= MOST_BYTES else None
