"""What a model file says of itself, read without loading the model.

A `.keras` archive holds its configuration as JSON, a legacy `.h5` as an attribute. Both can name code: a Lambda layer
carries Python bytecode, and a class or function of any module may be asked for.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from workbench.convert.incoming.values import require_finite
from workbench.core.errors import BadInputError, UntrustedModelError

if TYPE_CHECKING:
    from pathlib import Path

Kind = Literal["keras", "h5"]

ZIP, _HDF5 = b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"
_LOCAL_HEADER = 30
_WEIGHTS = "model.weights.h5"
_MEMBERS = {"metadata.json", "config.json", _WEIGHTS}
_LONGEST_JSON = 64 * 2**20
_LARGEST = 4 * 2**30
_MOST_EXPANSION = 1032  # deflate's own limit
# What the parsers of ZIP, HDF5 and JSON raise; RecursionError is a RuntimeError.
_DAMAGE = (zipfile.BadZipFile, zlib.error, LookupError, TypeError, ValueError, EOFError, OSError, RuntimeError)


@dataclass(frozen=True)
class ModelFile:
    """The description in a model file.

    Attributes:
        kind: `keras` (archive) or `h5`.
        version: Version of the Keras that wrote it; `3.…` is not tf_keras.
        config: The model's configuration.
        training: What it holds that only matters to who goes on training it: an optimizer's state, a configuration.
    """

    kind: Kind
    version: str
    config: dict[str, Any]
    training: tuple[str, ...] = ()

    @property
    def modern(self) -> bool:
        """Whether it is of Keras 3."""
        return not self.version.startswith(("1.", "2"))


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
    training: list[str] = []
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name for name in archive.namelist() if not _is_asset(name)}
            if odd := sorted(names - _MEMBERS):
                raise UntrustedModelError(f"{path} holds {odd[0]}, which no .keras file has; save the model anew.")
            _require_sizes(archive)
            if _WEIGHTS in names:
                with archive.open(_WEIGHTS) as weights, _hdf5(weights) as file:
                    _require_own_values(file, path)
                    training = _training(file, "optimizer")
            texts = {name: _small(archive, name) for name in ("metadata.json", "config.json")}
        metadata, config = (dict(json.loads(texts[name])) for name in ("metadata.json", "config.json"))
        if config.get("compile_config"):
            training.append("training configuration")
        return ModelFile("keras", str(metadata["keras_version"]), config, tuple(training))
    except _DAMAGE as error:
        raise _broken(path, error) from error


def _is_asset(name: str) -> bool:
    """Say whether a member lies in the folder of files for layers; one that leads out of it is none."""
    return name.startswith("assets/") and ".." not in PurePosixPath(name.replace("\\", "/")).parts


def _require_sizes(archive: zipfile.ZipFile) -> None:
    for member in archive.infolist():
        if member.file_size > _MOST_EXPANSION * member.compress_size:
            raise ValueError(f"{member.filename} claims {member.file_size} bytes and has {member.compress_size}")
    if (total := sum(member.file_size for member in archive.infolist())) > _LARGEST:
        raise ValueError(f"it claims {total} bytes")


def _small(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > _LONGEST_JSON:
        raise ValueError(f"{name} claims {archive.getinfo(name).file_size} bytes")
    return archive.read(name)


def _read_h5(path: Path) -> ModelFile:
    try:
        with _hdf5(path) as file:
            _require_own_values(file, path)
            if "model_config" not in file.attrs:
                raise BadInputError.of(
                    str(path), rule="must hold a whole model", got="an HDF5 file without a model's configuration",
                    hint="weights alone are not enough: save with model.save, not model.save_weights",
                )  # fmt: skip
            config = dict(json.loads(file.attrs["model_config"]))
            version = file.attrs.get("keras_version", "2")
            training = _training(file, "optimizer_weights")
            if "training_config" in file.attrs:
                training.append("training configuration")
        version = version.decode() if isinstance(version, bytes) else str(version)
        return ModelFile("h5", version, config, tuple(training))
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
            if isinstance(held, h5py.Dataset):
                if held.external or held.is_virtual:
                    raise UntrustedModelError(f"{path} keeps values ({where}) in another file; save the model anew.")
                _require_sound(held, where, path)
            # Hard links may lead in circles.
            if isinstance(held, h5py.Group) and (address := h5py.h5o.get_info(held.id).addr) not in seen:
                seen.add(address)
                groups.append(held)


def _require_sound(held: Any, where: str, path: Path) -> None:
    """Refuse values that claim more bytes than they take, and weights that are no numbers."""
    if held.dtype.kind not in "fiub":
        return
    claimed, stored = held.size * held.dtype.itemsize, held.id.get_storage_size()
    if claimed > (stored if held.chunks is None else stored * _MOST_EXPANSION):
        raise ValueError(f"{where} claims {claimed} bytes and has {stored}")
    if held.dtype.kind == "f" and not where.startswith("/optimizer"):
        require_finite(path, where, np.asarray(held[()]))


def _training(file: Any, group: str) -> list[str]:
    import h5py

    found: list[str] = []
    if isinstance(file.get(group), h5py.Group):
        file[group].visititems(lambda name, held: found.append(name) if isinstance(held, h5py.Dataset) else None)
    return ["optimizer state"] if found else []


def _broken(path: Path, error: Exception) -> BadInputError:
    reason = " ".join(str(error.args[0] if error.args else error).split())
    return BadInputError.of(
        str(path), rule="must be a whole Keras model file", got=f"{path.stat().st_size} bytes: {reason}",
        hint="it may be truncated; copy or save it again",
    )  # fmt: skip
