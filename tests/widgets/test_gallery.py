"""Images as bytes: what is sent is what was shown, and what comes back is checked."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.widgets.gallery import Gallery


def test_bytes_and_words_go_together() -> None:
    gallery, images = Gallery(page=3), np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5, 1)
    gallery.show(images, [{"name": "a"}, {"name": "b"}, {"name": "c"}], start=6, total=20)
    assert (gallery.shape, gallery.pixels, gallery.start, gallery.total) == ([3, 4, 5, 1], images.tobytes(), 6, 20)
    with pytest.raises(ValueError, match="do not fit"):
        gallery.show(images, [{"name": "a"}])
    gallery.show(np.zeros((1, 4, 4, 7), np.uint8), [{"name": "a"}])
    assert (gallery.shape, len(gallery.pixels)) == ([1, 4, 4, 1], 16)
    gallery.clear()
    assert (gallery.items, gallery.pixels, gallery.total) == ([], b"", 0)


def test_only_places_that_there_are_come_back() -> None:
    gallery, picked, turned = Gallery(page=2), [], []
    gallery.on_pick(picked.append)
    gallery.on_page(turned.append)
    gallery.show(np.zeros((2, 4, 4, 3), np.uint8), [{"name": "a"}, {"name": "b"}], start=4, total=9)
    for at in (-1, 2, "0", None, 1):
        gallery._handle_custom_msg({"type": "pick", "at": at}, [])
    for start in (-2, 9, True, 1.5, "2", 6):
        gallery._handle_custom_msg({"type": "page", "start": start}, [])
    assert (picked, turned) == ([5], [6])
