"""Small pictures of samples, as text that any page can show."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LARGEST_SIDE = 96


def thumbnail(image: NDArray[np.float32]) -> str:
    """Return an image as a base64 PNG of at most 96 pixels a side; smaller ones keep their size.

    Args:
        image: (H, W, C) in [0, 1]; C is 1 (grey), 3 (RGB), or anything else, of which the first is shown as grey.
    """
    from PIL import Image

    values = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    picture = Image.fromarray(values if values.shape[2] == 3 else values[:, :, 0])  # noqa: PLR2004 - red, green, blue
    picture.thumbnail((_LARGEST_SIDE, _LARGEST_SIDE))
    written = io.BytesIO()
    picture.save(written, "PNG", optimize=True)
    return base64.b64encode(written.getvalue()).decode()
