"""Whether a package is as it was packed, and if not, what exactly is not."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.errors import BadInputError
from workbench.core.records.package import PackageCheck
from workbench.package.checks import check_model, check_sums
from workbench.package.facts import SIGNATURE
from workbench.package.reading import read_package
from workbench.package.signing import check_signature

if TYPE_CHECKING:
    from typing import Literal

    from workbench.package.contents import Contents

_SHA256 = re.compile(r"[0-9a-f]{64}")
StrPath = str | os.PathLike[str]

_GRAVEST = ("sha256", "archive", "unsafe", "signature", "contradiction", "changed", "missing", "added")


def verify(path: StrPath, *, key: StrPath | None = None, sha256: str | None = None) -> PackageCheck:
    """Check a package as it came: nothing is unpacked into it, run or trusted.

    Without a key this tells of accidents and of whoever changed a file; who packs all of it anew, sums included, can
    be told by a signature alone, or by the archive's sha256, if that came on another way.

    Args:
        path: The archive, or the folder that it unpacks to.
        key: Public key (PEM) of who must have signed it.
        sha256: What the archive must have, 64 hexadecimal digits; for an archive only.

    Raises:
        BadInputError: There is no package, or the sha256 is none.
        WorkspaceError: It cannot be read.
        MissingExtraError: A signature is to be checked and `model-signing` is not installed.
    """
    if not isinstance(path, str | os.PathLike):
        raise BadInputError.of("package", rule="must be the path of an archive or folder", got=path)
    place = Path(path).expanduser().absolute()
    if key is not None and not Path(key).expanduser().is_file():
        raise BadInputError.of("key", rule="must be the file of a public key", got=str(key))
    if sha256 is not None and (place.is_dir() or not _SHA256.fullmatch(sha256)):
        raise BadInputError.of("sha256", rule="must be 64 digits 0-9a-f, and of an archive", got=sha256)
    found = read_package(place)
    check_sums(found)
    facts = check_model(found)
    if sha256 not in (None, found.sha256):
        found.blame("sha256", "", f"The archive must have sha256 {str(sha256)[:12]}…, got {found.sha256[:12]}….")
    signature = _signature(place, found, key)
    return PackageCheck(
        path=str(place), sha256=found.sha256,
        name=facts.name if facts else "", version=facts.version if facts else None,
        files=len(found.files), bytes=found.length, signature=signature,
        faults=tuple(sorted(found.faults, key=lambda fault: _GRAVEST.index(fault.kind))),
    )  # fmt: skip


def _signature(place: Path, found: Contents, key: StrPath | None) -> Literal["none", "unchecked", "valid", "wrong"]:
    if SIGNATURE not in found.files:
        if key is not None:
            found.blame(
                "signature", SIGNATURE, f"{SIGNATURE} is missing: nobody signed this package, or it was taken out."
            )
        return "none"
    if key is None:
        return "unchecked"
    if any(fault.kind in ("archive", "unsafe") for fault in found.faults):
        found.blame("signature", SIGNATURE, f"{SIGNATURE} was not checked: the package cannot be unpacked safely.")
        return "wrong"
    reason = check_signature(place, Path(key).expanduser())
    if reason is None:
        return "valid"
    found.blame("signature", SIGNATURE, f"{SIGNATURE} does not hold: {reason}.")
    return "wrong"
