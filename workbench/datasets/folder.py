"""Data of one's own as a folder of class folders of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import BadInputError
from workbench.datasets import checks
from workbench.datasets.base import RawData
from workbench.datasets.class_folders import Images, class_folders
from workbench.datasets.names import shown
from workbench.datasets.splits import stratified

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_FORMATS = ("PNG", "JPEG", "BMP", "WEBP")
_GREY, _COLOUR = frozenset({"1", "L", "LA"}), frozenset({"P", "RGB", "RGBA"})
_TEST_SHARE = 0.2
_MOST_SKIPPED_SHOWN = 3


def read_folder(root: Path) -> RawData:
    """Read `<root>/<class>/*.png` or `<root>/train/<class>/…` and `<root>/test/<class>/…`.

    Class folders in alphabetical order are the labels. Without `train` and `test`, every fifth image of a class
    becomes the test split. Images are grey where all are, else all RGB; transparency is dropped.

    Raises:
        BadInputError: Naming the folder or file at fault.
    """
    found = class_folders(root)
    train, test = found.train, found.test or Images()
    x = _read(train.files + test.files)
    y = np.array(train.labels + test.labels, dtype=np.int64)
    if found.test is not None:
        rest, held = np.split(np.arange(len(y)), [len(train.labels)])
        note = ""
    else:
        rest, held = stratified(y, _TEST_SHARE)
        note = f"{shown(root.name)} has no split of its own: a fixed fifth of each class is the test split."
    note += _skipped(train.skipped + test.skipped)
    return RawData(x[rest], y[rest], x[held], y[held], found.classes, note.strip())


def _read(files: list[Path]) -> NDArray[np.uint8]:
    first = _decoded(files[0])
    checks.declared_bytes(shown(files[0].parent.parent), first[..., 0].size * 3 * len(files))
    found = []
    for file in files:
        image = _decoded(file)
        if image.shape[:2] != first.shape[:2]:
            raise BadInputError.of(
                shown(file), rule=f"must be {first.shape[1]}x{first.shape[0]} pixels like {shown(files[0].name)}",
                got=f"{image.shape[1]}x{image.shape[0]}", hint="scale all images to one size",
            )  # fmt: skip
        found.append(image)
    channels = max(image.shape[-1] for image in found)
    return np.stack([np.broadcast_to(image, (*image.shape[:2], channels)) for image in found])


def _decoded(file: Path) -> NDArray[np.uint8]:
    """Decode an image into (H, W, 1) or (H, W, 3); its size is looked at before a pixel is unpacked."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(file, formats=_FORMATS) as image:
            _small_enough(file, image.size)
            return _pixels(file, image)
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise BadInputError.of(shown(file), rule="must be a readable PNG, JPEG, BMP or WebP image", got=str(error),
                               hint="repair or remove it") from error  # fmt: skip


def _small_enough(file: Path, size: tuple[int, int]) -> None:
    low, high = checks.SMALLEST_SIDE, checks.LARGEST_SIDE
    if not all(low <= side <= high for side in size):
        raise BadInputError.of(shown(file), rule=f"must have {low} to {high} pixels a side",
                               got=f"{size[0]}x{size[1]}", hint="scale it first")  # fmt: skip


def _pixels(file: Path, image: Any) -> NDArray[np.uint8]:
    if image.mode in _GREY:
        return np.asarray(image.convert("L"), dtype=np.uint8)[..., None]
    if image.mode in _COLOUR:
        return np.asarray(image.convert("RGB"), dtype=np.uint8)
    raise BadInputError.of(shown(file), rule="must be grey or RGB with 8 bits a channel", got=f"mode {image.mode}",
                           hint="convert it first")  # fmt: skip


def _skipped(names: list[str]) -> str:
    if not names:
        return ""
    more = ", …" if len(names) > _MOST_SKIPPED_SHOWN else ""
    return f" Skipped {len(names)} file(s) that are no images: {', '.join(names[:_MOST_SKIPPED_SHOWN])}{more}."
