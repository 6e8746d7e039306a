"""A model's files by the path they have in a version folder, and the sha256 that their manifest gives them together."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from workbench.core.artifact import MANIFEST, content_sha256
from workbench.core.errors import BadInputError, WorkspaceError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from workbench.core.artifact import Artifact

GRAPH = "saved_model.pb"

_SERVABLE = ("onnx", "tflite", "saved_model", "packed")
_EXTRA = "assets.extra/"  # requests to warm up with may be laid beside a SavedModel later


def model_files(artifact: Artifact) -> dict[str, Path]:
    """Return an artifact's files, checked against its manifest.

    Args:
        artifact: Of a format that can be served; a version folder of a store is one too.

    Raises:
        BadInputError: The format cannot be served.
        WorkspaceError: A file is missing or was changed, or is a link.
    """
    if artifact.format not in _SERVABLE:
        raise BadInputError.of(
            "artifact", got=artifact.format,
            rule=f"must be of format {', '.join(_SERVABLE[:-1])} or {_SERVABLE[-1]} to be served",
            hint='convert it first, for instance with `workbench.convert(artifact, "onnx")`',
        )  # fmt: skip
    spread = artifact.format == "saved_model" and (artifact.folder / GRAPH).is_file()
    if not spread:
        artifact.verify()
    root = artifact.folder if spread or artifact.format != "saved_model" else artifact.path
    paths = root.rglob("*") if artifact.format == "saved_model" else [artifact.path]
    files = {path.relative_to(root).as_posix(): path for path in sorted(paths) if path.is_file()}
    if spread:
        files.pop(MANIFEST, None)
    if link := next((path for path in files.values() if path.is_symlink()), None):
        raise WorkspaceError(f"{link} must be a file and no link; copy it instead.")
    if spread and artifact.sha256 not in model_sha256({name: content_sha256(path) for name, path in files.items()}, ""):
        raise WorkspaceError(f"{root} was changed since its manifest was written; make it again.")
    return files


def model_sha256(files: Mapping[str, str], file: str) -> tuple[str, ...]:
    """Return what a manifest may call a model: the sha256 of its one file, or those of a folder's listing.

    Args:
        files: sha256 by path in the version folder, without the manifest.
        file: The one model file; empty for a SavedModel.
    """
    if file:
        return (files[file],) if files.keys() == {file} else ()
    # As `content_sha256` does it, whose order is that of paths, part by part.
    lines = [f"{files[name]}  {name}\n" for name in sorted(files, key=lambda name: name.split("/"))]
    model = [line for line in lines if f"  {_EXTRA}" not in line]
    return tuple(hashlib.sha256("".join(each).encode()).hexdigest() for each in (lines, model))
