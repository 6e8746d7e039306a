"""Many small images, each with its words; they can be walked, looked at closely, and paged through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from workbench.widgets.base import Leaf

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_AXES = 4
_CHANNELS = (1, 3)


class Gallery(Leaf, asset="gallery"):
    """Images as plain bytes, drawn on small canvases.

    Attributes:
        title: What they are.
        caption: One line under the title.
        empty: What is said while there are none; without it the widget is hidden until then.
        shape: `[count, height, width, channels]` of the images on this page; channels are 1 (grey) or 3 (RGB).
        pixels: Their bytes in that order.
        items: One dictionary an image: `name`, and optionally `detail`, `tone` (`good` or `bad`) and `about`, what is
            said when it is looked at closely.
        start: How many come before this page.
        total: How many there are.
        page: How many stand on a full page.
    """

    title = traitlets.Unicode("").tag(sync=True)
    caption = traitlets.Unicode("").tag(sync=True)
    empty = traitlets.Unicode("").tag(sync=True)
    shape = traitlets.List(traitlets.Int(), default_value=[0, 1, 1, 1]).tag(sync=True)
    pixels = traitlets.Bytes().tag(sync=True)
    items = traitlets.List(traitlets.Dict()).tag(sync=True)
    start = traitlets.Int(0).tag(sync=True)
    total = traitlets.Int(0).tag(sync=True)
    page = traitlets.Int(24).tag(sync=True)

    def show(
        self, images: Any, items: Sequence[Mapping[str, Any]], *, start: int = 0, total: int | None = None
    ) -> None:
        """Show one page of images.

        Args:
            images: (count, height, width, channels), uint8; of other than 1 or 3 channels the first is shown.
            items: Words for each.
            start: How many come before them.
            total: How many there are; None is no more than these.
        """
        if images.ndim != _AXES or len(images) != len(items):
            raise ValueError(f"images of shape {images.shape} and {len(items)} items do not fit")
        drawn = images if images.shape[3] in _CHANNELS else images[..., :1]
        with self.hold_sync():
            self.shape, self.pixels = list(drawn.shape), drawn.tobytes()
            self.items = [dict(item) for item in items]
            self.start, self.total = start, len(images) if total is None else total

    def clear(self) -> None:
        """Take the images away; the words for empty stand there again."""
        with self.hold_sync():
            self.shape, self.pixels, self.items, self.start, self.total = [0, 1, 1, 1], b"", [], 0, 0

    def on_pick(self, callback: Callable[[int], None]) -> None:
        """Call back with the place, counted from the very first, of an image that was clicked."""

        def picked(message: dict[str, Any]) -> None:
            at = message.get("at")
            if isinstance(at, int) and 0 <= at < len(self.items):
                callback(self.start + at)

        self.hear("pick", picked)

    def on_page(self, callback: Callable[[int], None]) -> None:
        """Call back with where the page that is wanted starts."""

        def turned(message: dict[str, Any]) -> None:
            start = message.get("start")
            if isinstance(start, int) and not isinstance(start, bool) and 0 <= start < self.total:
                callback(start)

        self.hear("page", turned)
