"""From a version folder of a store to an engine: what is in it, who vouches for it, and who opens it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from workbench.core.artifact import MANIFEST, Artifact
from workbench.core.errors import BadInputError, WorkbenchError
from workbench.core.workspace import Workspace
from workbench.serve.engines.base import Engine, ModelFile, open_file
from workbench.serve.engines.trial import try_to_open
from workbench.serve.spread import GRAPH, is_spread, verify_spread
from workbench.serve.warm_up import recorded_requests

if TYPE_CHECKING:
    from pathlib import Path

_ENDINGS = {".onnx": "onnx", ".tflite": "tflite", ".packed": "packed"}


def open_engine(folder: Path, threads: int, *, foreign: bool = False, trust: bool = False) -> Engine:
    """Open a version folder of a store.

    Args:
        folder: `<base>/<name>/<version>`. With a manifest of ours its file is checked against it first.
        threads: Threads that one run may use.
        foreign: A folder without our manifest may be opened: a SavedModel, or one `.onnx`, `.tflite` or `.packed` file.
        trust: A person vouches for what models in this store do; otherwise a SavedModel that this workspace did not
            make may only calculate.

    Raises:
        WorkspaceError: The file is missing, truncated or changed.
        BadInputError: The folder holds no model, or none that its engine can open.
        UntrustedModelError: It can run code, and nobody vouches for it.
    """
    try:
        engine = _opened(folder, threads, foreign=foreign, trust=trust)
        engine.warm_ups = recorded_requests(folder, engine.signatures)
    except WorkbenchError as error:
        # The message is shown to clients, whom the server's paths do not concern.
        raise type(error)(str(error).replace(f"{folder}{os.sep}", "").replace(str(folder), folder.name)) from error
    return engine


def _opened(folder: Path, threads: int, *, foreign: bool, trust: bool) -> Engine:
    if (folder / MANIFEST).is_file() or not foreign:
        model = _vouched_for(folder, trust=trust)
    else:
        model = _found(folder, trust=trust)
        if model.format != "saved_model" and not model.trusted:
            try_to_open(model)  # a native parser may crash on it, and take its process along
    return open_file(model, threads)


def _vouched_for(folder: Path, *, trust: bool) -> ModelFile:
    artifact = Artifact.load(folder)
    trusted = trust or Workspace.default().holds(folder)
    if is_spread(artifact):
        verify_spread(artifact)
        return ModelFile(folder, artifact.format, trusted)
    return ModelFile(artifact.verify().path, artifact.format, trusted)


def _found(folder: Path, *, trust: bool) -> ModelFile:
    if (folder / GRAPH).is_file():
        return ModelFile(folder, "saved_model", trust)
    files = [path for path in folder.iterdir() if path.suffix in _ENDINGS and path.is_file()] if folder.is_dir() else []
    if len(files) != 1:
        raise BadInputError.of(
            folder.name,
            rule=f"must hold a {GRAPH} or exactly one file ending in {', '.join(_ENDINGS)}",
            got=[path.name for path in files],
        )
    return ModelFile(files[0], _ENDINGS[files[0].suffix], trust)
