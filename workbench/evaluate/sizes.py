"""What a model weighs: on disk, gzip'd, and packed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.records import Sizes
from workbench.evaluate.packing import pack

if TYPE_CHECKING:
    from workbench.core.artifact import Artifact


def measure_sizes(artifact: Artifact) -> Sizes:
    """Measure a model's bytes on disk, gzip'd, and in the packed container, each to the byte.

    The packed figure is the length of a file that `workbench.evaluate.packing.unpack` turns into the identical model;
    a directory counts as the sum of its files, each packed by itself, and a model that is packed already as it is.

    Raises:
        WorkspaceError: The file is missing, truncated or changed.
    """
    plain = artifact.verify().sizes()
    if artifact.format == "packed":
        return Sizes(raw=plain.raw, gzip=plain.gzip, packed=plain.raw)
    files = [artifact.path] if artifact.path.is_file() else sorted(p for p in artifact.path.rglob("*") if p.is_file())
    packed = sum(len(pack(file.read_bytes(), artifact.format)) for file in files)
    return Sizes(raw=plain.raw, gzip=plain.gzip, packed=packed)
