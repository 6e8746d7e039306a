"""What lies in a package, an archive or a folder: read once, nothing unpacked, nothing trusted."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from workbench.core.artifact import MANIFEST
from workbench.core.records.package import PackageFault
from workbench.package.facts import CARD, FACTS, SIGNATURE, SUMS, VERDICT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.core.records.package import FaultKind

_READ = re.compile(rf"({FACTS}|{CARD}|{VERDICT}|{SIGNATURE}|{SUMS}|models/[^/]+/\d+/{MANIFEST})".replace(".", r"\."))
_MOST_READ = 1 << 24
_MOST_FILES = 100_000
_MOST_FAULTS = 1000


@dataclass
class Contents:
    """What was read so far.

    Attributes:
        sha256: Of the archive; empty for a folder.
        files: sha256 by path.
        texts: The files that say what the others must be.
        faults: What is wrong already.
        whole: It could be read to its end.
        length: Bytes of all files.
    """

    sha256: str = ""
    files: dict[str, str] = field(default_factory=dict)
    texts: dict[str, bytes] = field(default_factory=dict)
    faults: list[PackageFault] = field(default_factory=list)
    whole: bool = True
    length: int = 0

    def blame(self, kind: FaultKind, file: str, reason: str) -> None:
        """Note a fault, up to so many; the sentence begins with the file's name."""
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(PackageFault(kind=kind, file=_shown(file), reason=_shown(reason)))

    def admit(self, name: str) -> bool:
        """Tell whether a file may have this name, and note it where it may not."""
        reason = _unsafe(name)
        if reason is None and name in self.files:
            reason = "is there twice"
        if reason is None and len(self.files) >= _MOST_FILES:
            reason = f"is one file more than {_MOST_FILES:,}"
        if reason is not None:
            self.blame("unsafe", name, f"{name!r} {reason}; do not unpack it.")
        return reason is None

    def add(self, name: str, chunks: Iterable[bytes]) -> None:
        """Read a file."""
        total, kept = hashlib.sha256(), bytearray()
        keeps = _READ.fullmatch(name) is not None
        for chunk in chunks:
            total.update(chunk)
            self.length += len(chunk)
            if keeps and len(kept) <= _MOST_READ:
                kept += chunk
        self.files[name] = total.hexdigest()
        if keeps and len(kept) <= _MOST_READ:
            self.texts[name] = bytes(kept)


def _shown(text: str) -> str:
    # Names on a disk may hold halves of characters, which no terminal takes.
    return text.encode(errors="backslashreplace").decode()


def is_plain(name: str) -> bool:
    """Tell whether a path stays in the folder where it is unpacked, on every system."""
    return _unsafe(name) is None


def _unsafe(name: str) -> str | None:
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or PurePosixPath(name).is_absolute() or re.match(r"[A-Za-z]:", name):
        return "leads out of the folder"
    if any(part in ("", ".") for part in parts) or "\\" in name or not name.isprintable():
        return "is no plain path"
    return None
