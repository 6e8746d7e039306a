"""The model inside a packed artifact, as an artifact of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.core.workspace import write_atomic
from workbench.evaluate.packing.container import unpack
from workbench.evaluate.packing.frame import format_of

if TYPE_CHECKING:
    from pathlib import Path

FILES = {"onnx": "model.onnx", "tflite": "model.tflite", "tf_keras": "model.keras", "keras": "model.keras"}


def unpack_to(artifact: Artifact, folder: Path) -> Artifact:
    """Write the model inside a packed artifact to a folder and return it, the very file that was packed.

    Args:
        artifact: A packed one.
        folder: Where to; exists.

    Raises:
        BadInputError: The file is damaged, or holds a format that no single file has.
        WorkspaceError: The file is not what its manifest says, or the disk refused the new one.
    """
    data = artifact.verify().path.read_bytes()
    inside = format_of(data)
    if inside not in FILES:
        raise BadInputError.of(artifact.file, rule=f"must hold one of {', '.join(FILES)}", got=inside)
    file = FILES[inside]
    write_atomic(folder / file, unpack(data))
    return Artifact.write(
        folder,
        file=file,
        name=artifact.name,
        format=inside,
        numeric=artifact.numeric,
        parent=artifact.sha256,
        settings=artifact.settings,
        seed=artifact.seed,
    )
