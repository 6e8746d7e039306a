"""What a model file says of itself, read without loading the model.

A `.keras` archive holds its configuration as JSON, a legacy `.h5` as an attribute. Both can name code: a Lambda layer
carries Python bytecode, and a class or function of any module may be asked for.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from workbench.core.errors import BadInputError, UntrustedModelError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Kind = Literal["keras", "h5"]

_ZIP, _HDF5 = b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"
# Pickle protocols 2 to 5 start so; older ones are text, which is no model file anyway.
_PICKLES = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))
_MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}
_LONGEST_JSON = 64 * 2**20
_PLAIN_MODULES = ("keras", "tf_keras", "tensorflow.keras")
_PLAIN_PACKAGES = (
    *("layers", "initializers", "regularizers", "constraints", "activations", "optimizers", "losses", "metrics"),
    *("src", "engine", "models", "mixed_precision", "dtype_policies"),
)


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


def kind_of(path: Path) -> Kind:
    """Tell the kind of a model file from its first bytes; its name plays no part.

    Raises:
        BadInputError: It is missing, empty, or something else.
        UntrustedModelError: It is a pickle.
    """
    if not path.is_file():
        raise BadInputError.of("path", rule="must be a .keras or .h5 file", got=str(path))
    with path.open("rb") as file:
        start = file.read(8)
    if not start:
        raise BadInputError.of("path", rule="must be a model file, not an empty one", got=str(path))
    if start.startswith(_ZIP):
        return "keras"
    if start == _HDF5:
        return "h5"
    if start.startswith(_PICKLES):
        raise UntrustedModelError(
            f"{path} is a pickle, which runs code of its own when it is loaded; save the model as .keras instead."
        )
    raise BadInputError.of(
        "path", rule="must be a .keras or .h5 file", got=f"{path} that starts with {start!r}",
        hint="save the model with model.save('model.keras')",
    )  # fmt: skip


def read_description(path: Path) -> ModelFile:
    """Read what a model file says of itself.

    Raises:
        BadInputError: The file is truncated or no model file.
        UntrustedModelError: An archive holds something besides a model.
    """
    kind = kind_of(path)
    return _read_archive(path) if kind == "keras" else _read_h5(path)


def require_harmless(description: ModelFile, path: Path) -> None:
    """Refuse a model that would run code which is not Keras' own.

    Raises:
        UntrustedModelError: Naming the layer or class.
    """
    reason = next(_code_in(description.config), None)
    if reason is not None:
        raise UntrustedModelError(
            f"{path} {reason}, which runs code that came with the file; if you know who made it, "
            "adopt it with trust=True."
        )


def _read_archive(path: Path) -> ModelFile:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name for name in archive.namelist() if not name.startswith("assets/")}
            if odd := sorted(names - _MEMBERS):
                raise UntrustedModelError(f"{path} holds {odd[0]}, which no .keras file has; save the model anew.")
            texts = {name: _small(archive, name) for name in ("metadata.json", "config.json")}
        metadata, config = (json.loads(texts[name]) for name in ("metadata.json", "config.json"))
        return ModelFile("keras", str(metadata["keras_version"]), dict(config))
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, EOFError, OSError, RecursionError) as error:
        raise _broken(path, error) from error


def _small(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > _LONGEST_JSON:
        raise ValueError(f"{name} claims {archive.getinfo(name).file_size} bytes")
    return archive.read(name)


def _read_h5(path: Path) -> ModelFile:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            config = json.loads(file.attrs["model_config"])
            version = file.attrs.get("keras_version", "2")
        return ModelFile("h5", version.decode() if isinstance(version, bytes) else str(version), dict(config))
    except (KeyError, TypeError, ValueError, OSError, RuntimeError, RecursionError) as error:
        raise _broken(path, error) from error


def _broken(path: Path, error: Exception) -> BadInputError:
    reason = " ".join(str(error.args[0] if error.args else error).split())
    return BadInputError.of(
        "path", rule="must be a whole Keras model file", got=f"{path} ({path.stat().st_size} bytes: {reason})",
        hint="it may be truncated; copy or save it again",
    )  # fmt: skip


def _code_in(value: Any) -> Iterator[str]:
    """Give a phrase for each place of a configuration that asks for code."""
    if isinstance(value, list):
        for each in value:
            yield from _code_in(each)
    if not isinstance(value, dict):
        return
    name = value.get("class_name")
    if name in ("Lambda", "__lambda__") or value.get("function_type") == "lambda":
        inner = value.get("config")
        label = inner.get("name") if isinstance(inner, dict) else None
        yield f"has a Lambda layer ({label})" if label else "has a Lambda"
    elif isinstance(name, str) and not _plain(value):
        yield f"asks for {value.get('module') or value.get('registered_name')}.{name}"
    for each in value.values():
        yield from _code_in(each)


def _plain(value: dict[str, Any]) -> bool:
    """Say whether an object of the configuration is Keras' own."""
    module, registered = value.get("module"), value.get("registered_name")
    if isinstance(registered, str) and ">" in registered:
        return False
    if module is None:  # legacy files name classes only, and only Keras' own are found by name
        return True
    if module == "builtins":  # an activation by its name
        return value.get("class_name") == "function" and isinstance(value.get("config"), str)
    root = next((each for each in _PLAIN_MODULES if module == each or module.startswith(f"{each}.")), None)
    if root is None:
        return False
    rest = module[len(root) + 1 :].split(".")[0]
    return not rest or rest in _PLAIN_PACKAGES
