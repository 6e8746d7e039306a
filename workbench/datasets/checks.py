"""Refuse data that cannot be trained on, naming the key and the index at fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import BadInputError
from workbench.datasets.names import is_utf8

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALLEST_SIDE, LARGEST_SIDE = 4, 256
MOST_CLASSES = 1000
MOST_BYTES = 2 << 30
_CHANNELS = (1, 3)
_CHUNK = 4096
_WHITE = 255
_NO_IMAGES = "data that is no images is kind='samples'"


def images(key: str, values: NDArray[Any]) -> NDArray[Any]:
    """Check one split's images and bring them to their stored form.

    Whole numbers are grey levels 0..255. Floats are brightness in [0, 1]; where each is exactly k/255 they are
    stored as whole grey levels, else as they are.

    Args:
        key: What to call them in an error, e.g. `x_train`.
        values: (N, H, W) or (N, H, W, C).

    Returns:
        (N, H, W, C), uint8 or float32.

    Raises:
        BadInputError: Shape, dtype, size, range, or a NaN.
    """
    values = _shaped(key, values)
    if values.dtype.kind in "iu":
        _within(key, values, _WHITE)
        return values.astype(np.uint8, copy=False)
    if values.dtype.kind == "f":
        _finite(key, values)
        _within(key, values, 1)
        return _grey_levels(values.astype(np.float32, copy=False))
    raise BadInputError.of(
        key, rule="must be uint8 grey levels or floats in [0, 1]", got=f"dtype {values.dtype}",
        hint="convert it with x.astype('uint8')",
    )  # fmt: skip


def labels(key: str, values: NDArray[Any], images_key: str, count: int) -> NDArray[np.int64]:
    """Check one split's labels.

    Args:
        key: What to call them in an error, e.g. `y_train`.
        values: (N,) or (N, 1) whole numbers from 0.
        images_key: What the images are called.
        count: How many images there are.

    Raises:
        BadInputError: Shape, length, dtype, or a negative label.
    """
    if values.ndim == 2 and values.shape[1] == 1:  # noqa: PLR2004 - a column of labels
        values = values[:, 0]
    if values.ndim != 1:
        raise BadInputError.of(
            key, rule="must be one-dimensional, one label a sample", got=f"shape {values.shape}",
            hint="turn one-hot rows into labels with y.argmax(axis=1)",
        )  # fmt: skip
    if len(values) != count:
        raise BadInputError.of(key, rule=f"must have one label for each of {images_key}'s {count} samples",
                               got=f"{len(values)} labels")  # fmt: skip
    if values.dtype.kind not in "iu":
        _refuse_labels(key, values)
    if count and values.min() < 0:
        index = int(np.argmax(values < 0))
        raise BadInputError.of(f"{key}[{index}]", rule="must be 0 or more", got=int(values[index]))
    if count and values.max() >= MOST_CLASSES:
        index = int(np.argmax(values >= MOST_CLASSES))
        raise BadInputError.of(f"{key}[{index}]", rule=f"must be below {MOST_CLASSES}", got=int(values[index]),
                               hint="number the classes from 0 without gaps")  # fmt: skip
    return values.astype(np.int64)


def class_count(train: NDArray[np.int64], test: NDArray[np.int64], classes: tuple[str, ...] | None) -> int:
    """Check that the labels are 0..k−1 and return k.

    Raises:
        BadInputError: A class without a training sample, a test label out of range, or names that do not fit.
    """
    count = int(train.max()) + 1
    if classes is not None:
        _named(classes, count)
    if count < 2:  # noqa: PLR2004 - one class leaves nothing to tell apart
        raise BadInputError.of("y_train", rule="must hold at least 2 classes", got=f"{count}")
    missing = np.flatnonzero(np.bincount(train, minlength=count) == 0)
    if missing.size:
        raise BadInputError.of(
            "y_train", rule=f"must hold every label from 0 to {count - 1}", got=f"no {int(missing[0])}",
            hint="number the classes from 0 without gaps",
        )  # fmt: skip
    if test.max() >= count:
        index = int(np.argmax(test >= count))
        raise BadInputError.of(f"y_test[{index}]", rule=f"must be a label that y_train holds (0 to {count - 1})",
                               got=int(test[index]))  # fmt: skip
    return count


def declared_bytes(key: str, size: int) -> None:
    """Refuse an array by its size before it is read.

    Raises:
        BadInputError: It is larger than a prepared dataset may be.
    """
    if size > MOST_BYTES:
        raise BadInputError.of(key, rule=f"must be at most {MOST_BYTES >> 30} GiB", got=f"{size / (1 << 30):.1f} GiB",
                               hint="take fewer or smaller images")  # fmt: skip


def _named(classes: tuple[str, ...], count: int) -> None:
    if len(classes) != count:
        raise BadInputError.of("classes", rule=f"must name as many classes as y_train holds ({count})",
                               got=f"{len(classes)} names")  # fmt: skip
    for index, name in enumerate(classes):
        if not isinstance(name, str) or not name.strip() or not is_utf8(name):
            raise BadInputError.of(f"classes[{index}]", rule="must be a name", got=name,
                                   hint="give each class a text of its own")  # fmt: skip
        if name in classes[:index]:
            raise BadInputError.of(f"classes[{index}]", rule="must be a name that no other class has", got=name,
                                   hint=f"rename it, classes[{classes.index(name)}] has it too")  # fmt: skip


def _shaped(key: str, values: NDArray[Any]) -> NDArray[Any]:
    if values.ndim == 3:  # noqa: PLR2004 - grey images without a channel axis
        values = values[..., None]
    if values.ndim != 4 or values.shape[-1] not in _CHANNELS:  # noqa: PLR2004
        raise BadInputError.of(key, rule="must have shape (N, H, W), (N, H, W, 1) or (N, H, W, 3)",
                               got=f"shape {values.shape}", hint=_NO_IMAGES)  # fmt: skip
    if not len(values):
        raise BadInputError.of(key, rule="must hold at least one sample", got=f"shape {values.shape}")
    if not all(SMALLEST_SIDE <= side <= LARGEST_SIDE for side in values.shape[1:3]):
        raise BadInputError.of(
            key, rule=f"must hold images of {SMALLEST_SIDE} to {LARGEST_SIDE} pixels a side",
            got=f"{values.shape[1]}x{values.shape[2]}", hint=f"scale them first; {_NO_IMAGES}",
        )  # fmt: skip
    declared_bytes(key, values.nbytes)
    return values


def _finite(key: str, values: NDArray[Any]) -> None:
    for start in range(0, len(values), _CHUNK):
        bad = ~np.isfinite(values[start : start + _CHUNK]).all(axis=(1, 2, 3))
        if bad.any():
            raise BadInputError.of(f"{key}[{start + int(np.argmax(bad))}]", rule="must hold finite numbers",
                                   got="NaN or infinity")  # fmt: skip


def _within(key: str, values: NDArray[Any], top: int) -> None:
    for start in range(0, len(values), _CHUNK):
        part = values[start : start + _CHUNK]
        bad = (part.min(axis=(1, 2, 3)) < 0) | (part.max(axis=(1, 2, 3)) > top)
        if bad.any():
            index = int(np.argmax(bad))
            low, high = part[index].min(), part[index].max()
            raise BadInputError.of(
                f"{key}[{start + index}]", rule=f"must lie in [0, {top}]", got=f"[{low:g}, {high:g}]",
                hint=f"{'divide by 255 or convert to uint8' if top == 1 else 'scale it to grey levels'}; {_NO_IMAGES}",
            )  # fmt: skip


def _grey_levels(values: NDArray[np.float32]) -> NDArray[Any]:
    levels = np.empty(values.shape, np.uint8)
    for start in range(0, len(values), _CHUNK):
        part = values[start : start + _CHUNK]
        whole = np.rint(part * _WHITE)
        if not np.array_equal(whole / np.float32(_WHITE), part):
            return values
        levels[start : start + _CHUNK] = whole
    return levels


def _refuse_labels(key: str, values: NDArray[Any]) -> None:
    if values.dtype.kind == "f":
        broken = values != np.floor(values)  # NaN too
        if broken.any():
            index = int(np.argmax(broken))
            raise BadInputError.of(f"{key}[{index}]", rule="must be a whole number", got=float(values[index]))
    raise BadInputError.of(key, rule="must hold whole numbers from 0", got=f"dtype {values.dtype}",
                           hint="number the classes and convert with y.astype('int64')")  # fmt: skip
