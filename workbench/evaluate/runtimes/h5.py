"""A legacy `.h5` model answered by tf_keras; belongs into a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.evaluate.runtimes.tf_keras import TfKerasRuntime, opened

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.artifact import Artifact


class H5Runtime(TfKerasRuntime):
    """Answers for an `.h5` file as Keras wrote it before its version 3."""

    @staticmethod
    def _loaded(artifact: Artifact) -> Any:
        return load_h5(artifact)


def load_h5(artifact: Artifact) -> Any:
    """Return a fresh tf_keras model of an `h5` artifact, without optimizer or compilation.

    Raises:
        UntrustedModelError: The artifact is not of this workspace.
        WorkspaceError: The file is missing, truncated or changed.
        BadInputError: It holds code that nobody vouched for.
    """
    return opened(artifact, _description)


def _description(path: Path) -> bytes:
    import h5py

    with h5py.File(path, "r") as file:
        found = file.attrs["model_config"]
    return found.encode() if isinstance(found, str) else bytes(found)
