"""A SavedModel whose files lie at the top of its version folder, where TensorFlow Serving wants them.

Our manifest lies beside them and speaks of the directory that they came from.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from workbench.core.artifact import MANIFEST, content_sha256
from workbench.core.errors import WorkspaceError

if TYPE_CHECKING:
    from workbench.core.artifact import Artifact

GRAPH = "saved_model.pb"

_EXTRA = "assets.extra/"


def is_spread(artifact: Artifact) -> bool:
    """Tell whether an artifact's files lie beside its manifest instead of in a directory of their own."""
    return artifact.format == "saved_model" and (artifact.folder / GRAPH).is_file()


def verify_spread(artifact: Artifact) -> Artifact:
    """Check the files against the manifest and return the artifact.

    Raises:
        WorkspaceError: One was truncated or changed, or is a link.
    """
    lines = []
    for file in sorted(path for path in artifact.folder.rglob("*") if path.is_file()):
        name = file.relative_to(artifact.folder).as_posix()
        if file.is_symlink():
            raise WorkspaceError(f"{file} must be a file and no link; copy it instead.")
        if name != MANIFEST:
            lines.append(f"{content_sha256(file)}  {name}\n")
    # Requests to warm up with may have been laid beside the model since.
    model = [line for line in lines if f"  {_EXTRA}" not in line]
    found = [hashlib.sha256("".join(each).encode()).hexdigest() for each in (lines, model)]
    if artifact.sha256 not in found:
        raise WorkspaceError(
            f"{artifact.folder} must have sha256 {artifact.sha256[:12]}… as its manifest says, got "
            f"{found[0][:12]}…: it was truncated or changed; make it again."
        )
    return artifact
