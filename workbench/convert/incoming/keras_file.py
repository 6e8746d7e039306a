"""What a model file says of itself, read without loading the model.

A `.keras` archive holds its configuration as JSON, a legacy `.h5` as an attribute. Both can name code: a Lambda layer
carries Python bytecode, and a class or function of any module may be asked for.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from workbench.core.errors import BadInputError, UntrustedModelError

if TYPE_CHECKING:
    from pathlib import Path

Kind = Literal["keras", "h5"]

ZIP, _HDF5 = b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"
_LOCAL_HEADER = 30
_WEIGHTS = "model.weights.h5"
_MEMBERS = {"metadata.json", "config.json", _WEIGHTS}
_LONGEST_JSON = 64 * 2**20
# What the parsers of ZIP, HDF5 and JSON raise; RecursionError is a RuntimeError.
_DAMAGE = (zipfile.BadZipFile, zlib.error, LookupError, TypeError, ValueError, EOFError, OSError, RuntimeError)


@dataclass(frozen=True)
class ModelFile:
    """The description in a model file.

    Attributes:
        kind: `keras` (archive) or `h5`.
        version: Version of the Keras that wrote it; `3.…` is not tf_keras.
        config: The model's configuration.
    """

    kind: Kind
    version: str
    config: dict[str, Any]


def is_archive(path: Path, start: bytes) -> bool:
    """Say whether a file is a `.keras` archive, truncated or not: one that names a member of those."""
    if not start.startswith(ZIP):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return not _MEMBERS.isdisjoint(archive.namelist())
    except _DAMAGE:
        # The list of members is at the end; the first one's name is at the start, too.
        return any(start[_LOCAL_HEADER:].startswith(name.encode()) for name in _MEMBERS)


def is_hdf5(start: bytes) -> bool:
    """Say whether a file is HDF5."""
    return start.startswith(_HDF5)


def read_description(path: Path) -> ModelFile:
    """Read what a model file says of itself.

    Raises:
        BadInputError: The file is truncated or no model file.
        UntrustedModelError: An archive holds something besides a model, or its weights lie in other files.
    """
    with path.open("rb") as file:
        return _read_h5(path) if is_hdf5(file.read(len(_HDF5))) else _read_archive(path)


def _read_archive(path: Path) -> ModelFile:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name for name in archive.namelist() if not name.startswith("assets/")}
            if odd := sorted(names - _MEMBERS):
                raise UntrustedModelError(f"{path} holds {odd[0]}, which no .keras file has; save the model anew.")
            if _WEIGHTS in names:
                with archive.open(_WEIGHTS) as weights, _hdf5(weights) as file:
                    _require_own_values(file, path)
            texts = {name: _small(archive, name) for name in ("metadata.json", "config.json")}
        metadata, config = (json.loads(texts[name]) for name in ("metadata.json", "config.json"))
        return ModelFile("keras", str(metadata["keras_version"]), dict(config))
    except _DAMAGE as error:
        raise _broken(path, error) from error


def _small(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > _LONGEST_JSON:
        raise ValueError(f"{name} claims {archive.getinfo(name).file_size} bytes")
    return archive.read(name)


def _read_h5(path: Path) -> ModelFile:
    try:
        with _hdf5(path) as file:
            _require_own_values(file, path)
            config = json.loads(file.attrs["model_config"])
            version = file.attrs.get("keras_version", "2")
        return ModelFile("h5", version.decode() if isinstance(version, bytes) else str(version), dict(config))
    except _DAMAGE as error:
        raise _broken(path, error) from error


def _hdf5(source: Any) -> Any:
    import h5py

    return h5py.File(source, "r")


def _require_own_values(file: Any, path: Path) -> None:
    """Refuse an HDF5 file whose groups and datasets are not all stored in it: HDF5 can point at any file."""
    import h5py

    groups, seen = [file], set()
    while groups:
        group = groups.pop()
        for name in group:
            where = f"{group.name.rstrip('/')}/{name}"
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise UntrustedModelError(f"{path} has a link ({where}) to what is elsewhere; save the model anew.")
            held = group[name]
            if isinstance(held, h5py.Dataset) and (held.external or held.is_virtual):
                raise UntrustedModelError(f"{path} keeps values ({where}) in another file; save the model anew.")
            # Hard links may lead in circles.
            if isinstance(held, h5py.Group) and (address := h5py.h5o.get_info(held.id).addr) not in seen:
                seen.add(address)
                groups.append(held)


def _broken(path: Path, error: Exception) -> BadInputError:
    reason = " ".join(str(error.args[0] if error.args else error).split())
    return BadInputError.of(
        str(path), rule="must be a whole Keras model file", got=f"{path.stat().st_size} bytes: {reason}",
        hint="it may be truncated; copy or save it again",
    )  # fmt: skip
