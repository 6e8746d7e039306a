"""A drawn digit as a model sees it: as it stands on the pad, or laid out as the digits that it was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Preprocessing = Literal["mnist", "fill", "raw"]

_BOX_SHARE = 20 / 28
_LARGEST_WHOLE = 16
_CHANNELS = (1, 3, 4)
_MOST_SIDE = 1024
_GREY = 255
_PLANE = 2  # axes of an image without channels


def drawing(pixels: bytes) -> NDArray[np.float32]:
    """Return what a square pad sent, (side, side) in [0, 1], where 1 is ink.

    Args:
        pixels: One byte a pixel, row by row, 255 is ink.

    Raises:
        BadInputError: They are no square of 1 to 1024 pixels a side.
    """
    side = round(len(pixels) ** 0.5)
    if not 0 < side <= _MOST_SIDE or side * side != len(pixels):
        raise BadInputError.of("pixels", rule=f"must be a square of at most {_MOST_SIDE} a side", got=len(pixels))
    ink = np.frombuffer(pixels, np.uint8).reshape(side, side).astype(np.float32)
    return ink / np.float32(_GREY)


def is_image(shape: Sequence[int]) -> bool:
    """Say whether a sample of that shape is an image that can be drawn: (H, W), (H, W, C) or (C, H, W)."""
    try:
        _axes(shape)
    except BadInputError:
        return False
    return True


def as_seen(
    image: NDArray[Any], shape: Sequence[int], *, preprocessing: Preprocessing = "mnist"
) -> NDArray[np.float32]:
    """Return a drawing as a model takes it.

    `mnist` lays it out as LeCun et al. did ("Gradient-Based Learning Applied to Document Recognition", 1998, III.A):
    its longer edge becomes 20 of 28 pixels, its shape is kept, and its centre of mass comes to the centre of the image.
    `fill` has the digit fill the image, the middle of its box in the centre, as those of the UCI set do (Alpaydin and
    Kaynak, 1998), from which `digits` is; images of at most 16 pixels a side are laid out so in any case. `raw` only
    makes it smaller.

    Args:
        image: (height, width) in [0, 1], 1 is ink.
        shape: Of the model's sample: (H, W), (H, W, C) or (C, H, W).
        preprocessing: `mnist`, `fill` or `raw`.

    Returns:
        Of that shape, in [0, 1]; all channels alike.

    Raises:
        BadInputError: The shape is no image's, the drawing is none, or there is no such preprocessing.
    """
    if preprocessing not in get_args(Preprocessing):
        raise BadInputError.of("preprocessing", rule="must be mnist, fill or raw", got=preprocessing)
    ink = np.asarray(image, np.float64)
    if ink.ndim != _PLANE or not ink.size or not np.isfinite(ink).all():
        raise BadInputError.of("image", rule="must be finite numbers of the shape (height, width)", got=ink.shape)
    high, wide, channels, first = _axes(shape)
    if preprocessing == "raw":
        top, left, height, width = 0.0, 0.0, float(ink.shape[0]), float(ink.shape[1])
    else:
        top, left, height, width = _window(ink, high, wide, fill=preprocessing == "fill")
    seen = _weights(top, height, high, ink.shape[0]) @ ink @ _weights(left, width, wide, ink.shape[1]).T
    plane = np.clip(seen, 0, 1).astype(np.float32)
    if channels is None:
        return plane
    return np.repeat(np.expand_dims(plane, 0 if first else 2), channels, axis=0 if first else 2)


def _axes(shape: Sequence[int]) -> tuple[int, int, int | None, bool]:
    """Return height, width, channels (None: no such axis) and whether they come first."""
    sizes = tuple(int(size) for size in shape)
    found: tuple[int, int, int | None, bool] = (0, 0, None, False)
    if len(sizes) == _PLANE:
        found = (sizes[0], sizes[1], None, False)
    elif len(sizes) == _PLANE + 1 and sizes[2] in _CHANNELS:
        found = (sizes[0], sizes[1], sizes[2], False)
    elif len(sizes) == _PLANE + 1 and sizes[0] in _CHANNELS:
        found = (sizes[1], sizes[2], sizes[0], True)
    if not all(0 < side <= _MOST_SIDE for side in found[:2]):
        raise BadInputError.of("shape", rule="must be an image's: (H, W), (H, W, C) or (C, H, W)", got=sizes)
    return found


def _window(ink: NDArray[np.float64], high: int, wide: int, *, fill: bool) -> tuple[float, float, float, float]:
    """Return the part of the drawing that becomes the image: top, left, height and width, in its pixels."""
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not rows.size:
        return 0.0, 0.0, float(ink.shape[0]), float(ink.shape[1])
    height, width = float(rows[-1] - rows[0] + 1), float(columns[-1] - columns[0] + 1)
    if fill or min(high, wide) <= _LARGEST_WHOLE:
        scale = max(height / high, width / wide)
        middle = (rows[0] + height / 2, columns[0] + width / 2)
    else:
        scale = max(height, width) / (_BOX_SHARE * min(high, wide))
        middle = _centre_of_mass(ink)
    return middle[0] - high * scale / 2, middle[1] - wide * scale / 2, high * scale, wide * scale


def _centre_of_mass(ink: NDArray[np.float64]) -> tuple[float, float]:
    total = ink.sum()
    down, across = np.arange(ink.shape[0]) + 0.5, np.arange(ink.shape[1]) + 0.5
    return float(ink.sum(axis=1) @ down / total), float(ink.sum(axis=0) @ across / total)


def _weights(start: float, length: float, parts: int, size: int) -> NDArray[np.float64]:
    """Return (parts, size): the share that each old pixel has in each new one; beyond the edge there is no ink."""
    step = length / parts
    low = start + step * np.arange(parts)[:, None]
    old = np.arange(size)[None, :]
    overlap: NDArray[np.float64] = np.minimum(low + step, old + 1) - np.maximum(low, old)
    return np.maximum(overlap, 0) / step
