"""Find the images in a folder of class folders; nothing but names is looked at, and no deeper than they lie."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from workbench.core.errors import BadInputError
from workbench.datasets import checks
from workbench.datasets.names import shown, writable

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp"})
MOST_FILES = 500_000
_SPLIT = ("train", "test")


@dataclass
class Images:
    """Images of one split, class by class, with the label of each.

    Attributes:
        files: Regular files with an image's suffix.
        labels: Of each file.
        skipped: Names of the files that are no images.
    """

    files: list[Path] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ClassFolders:
    """All that will be read; `test` is None where the root has no split of its own."""

    classes: tuple[str, ...]
    train: Images
    test: Images | None


def class_folders(root: Path) -> ClassFolders:
    """Find `<root>/<class>/*.png` or `<root>/train/<class>/…` and `<root>/test/<class>/…`.

    Links to folders and files are followed.

    Raises:
        BadInputError: Naming the folder or file at fault.
    """
    if tuple(sorted(_folders(root), reverse=True)) != _SPLIT:
        classes = _classes(root)
        return ClassFolders(classes, _images(root, classes), None)
    train, test = (root / name for name in _SPLIT)
    classes = _classes(train)
    extra = set(_folders(test)) - set(classes)
    if extra:
        raise BadInputError.of(shown(test / min(extra)), rule="must be a class that train has too", got=min(extra))
    return ClassFolders(classes, _images(train, classes), _images(test, classes))


def listing(root: Path) -> list[tuple[str, int, int]]:
    """Return the path relative to the root, size in bytes and time of change in ns of each image that will be read.

    Raises:
        BadInputError: Naming the folder or file at fault.
        OSError: A file went away meanwhile.
    """
    found = class_folders(root)
    files = found.train.files + (found.test.files if found.test is not None else [])
    facts = ((file, file.stat()) for file in files)
    return sorted((file.relative_to(root).as_posix(), fact.st_size, fact.st_mtime_ns) for file, fact in facts)


def _classes(root: Path) -> tuple[str, ...]:
    names = _folders(root)
    if not 2 <= len(names) <= checks.MOST_CLASSES:  # noqa: PLR2004 - one class leaves nothing to tell apart
        raise BadInputError.of(shown(root), rule=f"must hold 2 to {checks.MOST_CLASSES} class folders of images",
                               got=f"{len(names)} folders")  # fmt: skip
    for name in names:
        writable(root / name)
    return tuple(names)


def _folders(root: Path) -> list[str]:
    entries = [entry for entry in _entries(root, root, MOST_FILES) if not entry.name.startswith(".")]
    for entry in entries:
        if entry.is_symlink() and _leads_nowhere(entry):  # else a class would be missing without a word
            _refuse(entry, "must be a class folder or a file")
    return sorted(entry.name for entry in entries if entry.is_dir())


def _images(root: Path, classes: tuple[str, ...]) -> Images:
    found = Images(skipped=_others(_entries(root, root, MOST_FILES)))
    room = MOST_FILES
    for label, name in enumerate(classes):
        entries = _entries(root, root / name, room)
        room -= len(entries)
        images = sorted((entry for entry in entries if _is_image(entry)), key=lambda entry: entry.name)
        if not images:
            raise BadInputError.of(shown(root / name), rule=f"must hold images ({', '.join(sorted(SUFFIXES))})",
                                   got="none", hint="fill it, or choose a folder of class folders")  # fmt: skip
        for entry in images:
            if not _is_file(entry):
                _refuse(entry, "must be an image file")
            writable(Path(entry))
        found.files += [root / name / entry.name for entry in images]
        found.labels += [label] * len(images)
        found.skipped += _others(entries)
    return found


def _entries(root: Path, folder: Path, room: int) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as scan:
            entries = list(islice(scan, room + 1))
    except OSError as error:
        raise BadInputError.of(shown(folder), rule="must be a folder that can be read", got=error.strerror) from error
    if len(entries) > room:
        raise BadInputError.of(shown(root), rule=f"must hold at most {MOST_FILES} files", got="more",
                               hint="choose a folder of class folders of images")  # fmt: skip
    return entries


def _others(entries: list[os.DirEntry[str]]) -> list[str]:
    return sorted(shown(entry.name) for entry in entries if not _is_image(entry) and _is_file(entry))


def _is_image(entry: os.DirEntry[str]) -> bool:
    return Path(entry.name).suffix.lower() in SUFFIXES


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # links that lead to each other
        return False


def _leads_nowhere(entry: os.DirEntry[str]) -> bool:
    try:
        entry.stat()
    except OSError:
        return True
    return False


def _refuse(entry: os.DirEntry[str], rule: str) -> None:
    # To open a named pipe would wait for ever for somebody to write to it.
    try:
        mode = entry.stat().st_mode
    except OSError:
        got = "a link to nothing"
    else:
        kinds = {stat.S_ISDIR: "a folder", stat.S_ISFIFO: "a named pipe"}
        got = next((said for holds, said in kinds.items() if holds(mode)), "a device or a socket")
    raise BadInputError.of(shown(entry.path), rule=rule, got=got, hint="remove or rename it")
