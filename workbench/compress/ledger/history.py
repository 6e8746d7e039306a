"""What manifests know of how a model came to be."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from workbench.compress.base import methods
from workbench.core.artifact import MANIFEST, Artifact
from workbench.core.errors import WorkbenchError

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_STEPS = 32


def was_pruned(artifact: Artifact) -> bool | None:
    """Say whether a step that makes zeros took part; None where the manifests do not tell.

    Args:
        artifact: Any model.
    """
    begun = artifact
    for each in _ancestry(artifact):
        method = each.settings.get("method")
        if method in methods.names() and "sparsity" in methods.get(method).gives:
            return True
        begun = each
    # What training wrote began here; what was brought in has a past of its own.
    return False if begun.parent is None and "recipe" in begun.settings else None


def _ancestry(artifact: Artifact) -> Iterator[Artifact]:
    for _ in range(_MOST_STEPS):
        yield artifact
        found = _source(artifact)
        if found is None:
            return
        artifact = found


def _source(artifact: Artifact) -> Artifact | None:
    """Find what an artifact was made from: as its manifest says, or among the runs beside its own."""
    if artifact.parent is None:
        return None
    noted = artifact.settings.get("source")
    manifests = artifact.folder.parent.parent.glob(f"*/{artifact.folder.name}/{MANIFEST}")
    folders = [noted["artifact"]] if isinstance(noted, dict) and "artifact" in noted else (m.parent for m in manifests)
    for folder in folders:
        with contextlib.suppress(WorkbenchError, OSError, json.JSONDecodeError):
            found = Artifact.load(folder)
            if found.sha256 == artifact.parent:
                return found
    return None
