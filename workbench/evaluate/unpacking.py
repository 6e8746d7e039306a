"""The verb `unpack`: the model inside a packed one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import overload

from workbench.core.artifact import MANIFEST, Artifact
from workbench.core.errors import BadInputError
from workbench.core.workspace import write_atomic, writing
from workbench.evaluate.packing import format_of
from workbench.evaluate.packing import unpack as unpacked
from workbench.evaluate.packing.inside import FILES, unpack_to

_FOLDER = "unpacked"


@overload
def unpack(packed: Artifact, target: str | os.PathLike[str] | None = None) -> Artifact: ...
@overload
def unpack(packed: str | os.PathLike[str], target: str | os.PathLike[str] | None = None) -> Artifact | Path: ...
def unpack(packed: Artifact | str | os.PathLike[str], target: str | os.PathLike[str] | None = None) -> Artifact | Path:
    """Give back the very file that was packed; no framework is loaded.

    Args:
        packed: A `packed` artifact, its folder, or a `.packed` file by itself.
        target: Of an artifact the folder to unpack into, by default `unpacked` inside its own; of a file the file to
            write, or a folder for it, by default beside it with the ending of its format.

    Returns:
        The artifact inside, or the path of the file.

    Raises:
        BadInputError: It is no packed model, damaged, or something else is at the target.
        WorkspaceError: The file is not what its manifest says, or the disk refused the new one.
    """
    if isinstance(packed, Artifact):
        return _artifact(packed, target)
    if not isinstance(packed, (str, os.PathLike)):
        raise BadInputError.of("packed", rule="must be a packed Artifact or the path of one", got=packed)
    path = Path(packed).expanduser().absolute()
    if (path / MANIFEST).is_file():
        return _artifact(Artifact.load(path), target)
    if not path.is_file():
        raise BadInputError.of("packed", rule="must be an existing file or an artifact's folder", got=str(path))
    return _file(path, target)


def _artifact(packed: Artifact, target: str | os.PathLike[str] | None) -> Artifact:
    if packed.format != "packed":
        raise BadInputError.of("packed", rule="must be a packed artifact", got=packed.label)
    folder = packed.folder / _FOLDER if target is None else Path(target).expanduser().absolute()
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    # Without a target the folder is this verb's own.
    if target is not None and any(folder.iterdir()):
        raise BadInputError.of("target", rule="must be an empty folder or a new one", got=str(folder))
    return unpack_to(packed, folder)


def _file(path: Path, target: str | os.PathLike[str] | None) -> Path:
    data = path.read_bytes()
    inside = format_of(data)
    ending = Path(FILES.get(inside, f"model.{inside}")).suffix
    written = path.with_suffix(ending) if target is None else Path(target).expanduser().absolute()
    if written.is_dir():
        written /= f"{path.stem}{ending}"
    content = unpacked(data)
    if written.exists():
        if written.is_file() and written.read_bytes() == content:
            return written
        raise BadInputError.of("target", rule="must not exist yet", got=str(written))
    write_atomic(written, content)
    return written
