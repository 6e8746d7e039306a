"""Data of one's own as a folder of class folders of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import BadInputError
from workbench.datasets import checks
from workbench.datasets.base import RawData
from workbench.datasets.splits import stratified

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp"})
MOST_FILES = 500_000
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
    if _is_split(root):
        classes = _classes(root / "train")
        files, y = _listed(root / "train", classes)
        test_files, test_y = _listed(root / "test", classes)
        x = _read(files + test_files)
        rest, held = np.arange(len(files)), np.arange(len(files), len(x))
        y, note = np.concatenate([y, test_y]), ""
    else:
        classes = _classes(root)
        files, y = _listed(root, classes)
        x = _read(files)
        rest, held = stratified(y, _TEST_SHARE)
        note = f"{root.name} has no split of its own: a fixed fifth of each class is the test split."
    return RawData(x[rest], y[rest], x[held], y[held], classes, (note + _skipped(root)).strip())


def listing(root: Path) -> list[tuple[str, int, int]]:
    """Return each file's path relative to the root, size in bytes and time of change in ns, sorted."""
    found = []
    for file in root.rglob("*"):
        if file.is_file():
            facts = file.stat()
            found.append((file.relative_to(root).as_posix(), facts.st_size, facts.st_mtime_ns))
    return sorted(found)


def _is_split(root: Path) -> bool:
    return {folder.name for folder in _folders(root)} == {"train", "test"}


def _folders(root: Path) -> list[Path]:
    return sorted(entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _classes(root: Path) -> tuple[str, ...]:
    names = tuple(folder.name for folder in _folders(root))
    if not 2 <= len(names) <= checks.MOST_CLASSES:  # noqa: PLR2004 - one class leaves nothing to tell apart
        raise BadInputError.of(str(root), rule=f"must hold 2 to {checks.MOST_CLASSES} class folders of images",
                               got=f"{len(names)} folders")  # fmt: skip
    return names


def _listed(root: Path, classes: tuple[str, ...]) -> tuple[list[Path], NDArray[np.int64]]:
    extra = {folder.name for folder in _folders(root)} - set(classes)
    if extra:
        raise BadInputError.of(str(root / min(extra)), rule="must be a class that train has too",
                               got=min(extra))  # fmt: skip
    files: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        found = sorted(file for file in (root / name).glob("*") if file.suffix.lower() in SUFFIXES)
        if not found:
            raise BadInputError.of(str(root / name), rule=f"must hold images ({', '.join(sorted(SUFFIXES))})",
                                   got="none", hint="remove the folder or fill it")  # fmt: skip
        files += found
        labels += [label] * len(found)
    if len(files) > MOST_FILES:
        raise BadInputError.of(str(root), rule=f"must hold at most {MOST_FILES} images", got=len(files))
    return files, np.array(labels, dtype=np.int64)


def _read(files: list[Path]) -> NDArray[np.uint8]:
    first = _decoded(files[0])
    checks.declared_bytes(str(files[0].parent.parent), first[..., 0].size * 3 * len(files))
    found = []
    for file in files:
        image = _decoded(file)
        if image.shape[:2] != first.shape[:2]:
            raise BadInputError.of(
                str(file), rule=f"must be {first.shape[1]}x{first.shape[0]} pixels like {files[0].name}",
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
        raise BadInputError.of(str(file), rule="must be a readable PNG, JPEG, BMP or WebP image", got=str(error),
                               hint="repair or remove it") from error  # fmt: skip


def _small_enough(file: Path, size: tuple[int, int]) -> None:
    low, high = checks.SMALLEST_SIDE, checks.LARGEST_SIDE
    if not all(low <= side <= high for side in size):
        raise BadInputError.of(str(file), rule=f"must have {low} to {high} pixels a side",
                               got=f"{size[0]}x{size[1]}", hint="scale it first")  # fmt: skip


def _pixels(file: Path, image: Any) -> NDArray[np.uint8]:
    if image.mode in _GREY:
        return np.asarray(image.convert("L"), dtype=np.uint8)[..., None]
    if image.mode in _COLOUR:
        return np.asarray(image.convert("RGB"), dtype=np.uint8)
    raise BadInputError.of(str(file), rule="must be grey or RGB with 8 bits a channel", got=f"mode {image.mode}",
                           hint="convert it first")  # fmt: skip


def _skipped(root: Path) -> str:
    names = [file.name for file in sorted(root.rglob("*")) if file.is_file() and file.suffix.lower() not in SUFFIXES]
    if not names:
        return ""
    more = ", …" if len(names) > _MOST_SKIPPED_SHOWN else ""
    return f" Skipped {len(names)} file(s) that are no images: {', '.join(names[:_MOST_SKIPPED_SHOWN])}{more}."
