"""A hard set: samples that a model got wrong, kept by the user for the next training.

`WORKBENCH_HOME/hard_sets/<name>/` holds one file a sample. The file's name says which sample it is, what is in it may
change (its label): so a sample is added, corrected and removed in one step each, and no process can lose another one's.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.core.checks import require_whole
from workbench.core.errors import BadInputError, WorkspaceError
from workbench.core.records import HardSample
from workbench.core.workspace import Workspace, write_atomic, writing
from workbench.datasets import checks, sample_checks
from workbench.datasets.kinds import Kind, kind_of
from workbench.jobs.lock import locked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

MOST_SAMPLES = 10_000
_HELD_SHARE = 0.2
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_FILE = re.compile(r"(\d{8})-([ht])-([0-9a-f]{32})\.npz")
_LONGEST_SOURCE = 64
# What numpy and zipfile meet damaged bytes with.
_UNREADABLE = (
    OSError, ValueError, KeyError, EOFError, MemoryError, RuntimeError, SyntaxError, struct.error, zlib.error,
    zipfile.BadZipFile, zipfile.LargeZipFile,
)  # fmt: skip


def hard_set(name: str = "hard", *, workspace: Workspace | None = None) -> HardSet:
    """Return the hard set of a name; it is made when something is first added.

    Args:
        name: Letters, digits, `_` and `-`.
        workspace: Where it lies; None is the default one.

    Raises:
        BadInputError: The name has other signs.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadInputError.of("name", rule="must be made of letters, digits, _ and -", got=name)
    return HardSet(name, Workspace.of(workspace).home / "hard_sets" / name)


class _Entry(NamedTuple):
    """What a file's name says."""

    number: int
    held: bool
    id: str
    path: Path


@dataclass(frozen=True)
class HardSet:
    """Samples of one shape with their right labels; every fifth is held back to measure a training by.

    Attributes:
        name: What it is called.
        folder: Where it lies.
    """

    name: str
    folder: Path

    def __len__(self) -> int:
        return len(self._entries())

    def add(self, x: Any, label: int, source: str = "drawn", *, kind: Kind | None = None) -> HardSample:
        """Keep a sample; one that is here already gets the label and stays the one it is.

        Args:
            x: An image, (H, W) or (H, W, C), whole grey levels 0..255 or floats in [0, 1]; or what else the model
                takes, such as a table's row of features.
            label: The right class, from 0.
            source: Where it came from, such as `drawn` or `mislabelled`; up to 64 signs.
            kind: `images`, `table` or `samples`; None is told from the shape.

        Returns:
            The sample as it is kept.

        Raises:
            BadInputError: It is no sample, of another shape than the others, or the set is full.
            WorkspaceError: The disk refused it.
        """
        stored = _checked(x, kind)
        right = require_whole("label", label, least=0, most=checks.MOST_CLASSES - 1)
        if not isinstance(source, str) or not source.isprintable() or not 0 < len(source) <= _LONGEST_SOURCE:
            raise BadInputError.of("source", rule=f"must be 1 to {_LONGEST_SOURCE} printable signs", got=source)
        name = content_id(stored)
        with locked(self.folder / ".lock"):
            self._clear()
            entries = self._entries()
            self._require_fit(stored, entries)
            known = next((each for each in entries if each.id == name), None)
            entry = known or self._next(name, entries)
            sample = HardSample(
                id=name, number=entry.number, label=right, source=source, held=entry.held, shape=stored.shape,
                added=datetime.now(UTC).isoformat(timespec="seconds"),
            )  # fmt: skip
            if known is None or _read(known.path)[0].label != right:
                write_atomic(entry.path, _packed(sample, stored))
        return _read(entry.path)[0]

    def remove(self, sample: HardSample | str) -> None:
        """Remove a sample.

        Args:
            sample: It, or its id.

        Raises:
            BadInputError: It is not here.
            WorkspaceError: The disk refused it.
        """
        name = sample.id if isinstance(sample, HardSample) else sample
        with locked(self.folder / ".lock"):
            found = next((each for each in self._entries() if each.id == name), None)
            if found is None:
                raise BadInputError.of(
                    "sample", rule=f"must be in the hard set {self.name}", got=name,
                    hint="`list()` gives what is in it",
                )  # fmt: skip
            with writing(found.path):
                found.path.unlink()

    def list(self) -> tuple[HardSample, ...]:
        """Return what is in it, in the order of adding.

        Raises:
            WorkspaceError: A file was damaged; it is named.
        """
        return tuple(_read(entry.path)[0] for entry in self._entries())

    def samples(self) -> tuple[tuple[HardSample, NDArray[Any]], ...]:
        """Return what is in it with the arrays: uint8 grey levels, float32 or int32, each of its sample's shape.

        Raises:
            WorkspaceError: A file was damaged; it is named.
        """
        return tuple(_read(entry.path) for entry in self._entries())

    def _entries(self) -> Sequence[_Entry]:
        names = self.folder.iterdir() if self.folder.is_dir() else ()
        found = ((_FILE.fullmatch(path.name), path) for path in names)
        return sorted(_Entry(int(match[1]), match[2] == "h", match[3], path) for match, path in found if match)

    def _next(self, name: str, entries: Sequence[_Entry]) -> _Entry:
        # Decided once and for all: what is measured by must never have been trained on.
        held = sum(each.held for each in entries) < int(_HELD_SHARE * (len(entries) + 1) + 0.5)
        number = entries[-1].number + 1 if entries else 1
        return _Entry(number, held, name, self.folder / f"{number:08d}-{'h' if held else 't'}-{name}.npz")

    def _require_fit(self, stored: NDArray[Any], entries: Sequence[_Entry]) -> None:
        if len(entries) >= MOST_SAMPLES:
            raise BadInputError.of(f"the hard set {self.name}", rule=f"must hold at most {MOST_SAMPLES:,} samples",
                                   got="one more", hint="remove some, or begin another set")  # fmt: skip
        if entries and (shape := _read(entries[0].path)[0].shape) != stored.shape:
            raise BadInputError.of("x", rule=f"must have the shape of the others in {self.name}, {shape}",
                                   got=stored.shape, hint="keep other samples in a set of their own")  # fmt: skip

    def _clear(self) -> None:
        # Halves that killed processes left: whoever writes holds the lock, and that is us.
        for half in self.folder.glob(".*.npz.*"):
            half.unlink(missing_ok=True)


def content_id(stored: NDArray[Any]) -> str:
    """Return the content address (32 hex digits) of a stored sample; grey levels count as their brightness."""
    values = stored.astype(np.float32) / np.float32(255) if stored.dtype == np.uint8 else stored
    facts = json.dumps([values.dtype.str, values.shape]).encode()
    return hashlib.sha256(facts + np.ascontiguousarray(values).tobytes()).hexdigest()[:32]


def _checked(x: Any, kind: Kind | None) -> NDArray[Any]:
    try:
        array = np.asarray(x)
    except ValueError as error:
        raise BadInputError.of("x", rule="must be an array of numbers", got=str(error)) from error
    if not array.ndim:
        raise BadInputError.of("x", rule="must be one sample as the model takes it", got=x)
    check = checks.images if kind_of(array.ndim + 1, kind) == "images" else sample_checks.samples
    stored: NDArray[Any] = check("x", array[None])[0]
    return stored


def _packed(sample: HardSample, stored: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    facts = np.frombuffer(sample.model_dump_json().encode(), np.uint8)
    np.savez_compressed(buffer, x=stored, facts=facts)
    return buffer.getvalue()


def _read(path: Path) -> tuple[HardSample, NDArray[Any]]:
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            sample, stored = HardSample.model_validate_json(file["facts"].tobytes()), file["x"]
    except _UNREADABLE as error:
        raise WorkspaceError(f"{path} is damaged ({type(error).__name__}); delete it to go on without it.") from error
    if sample.id not in path.name or content_id(stored) != sample.id:
        raise WorkspaceError(f"{path} is damaged (it holds another sample than its name says); delete it.")
    return sample, stored
