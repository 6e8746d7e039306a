"""Graph of the model inside a packed file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from workbench.evaluate.graphs.base import GraphReader, readers
from workbench.evaluate.packing.container import unpack
from workbench.evaluate.packing.frame import format_of

if TYPE_CHECKING:
    from workbench.evaluate.graphs.base import ModelGraph


class PackedGraph(GraphReader):
    """Reads `.packed`: the graph is that of the file that it unpacks to."""

    family: ClassVar[str] = ""

    def read(self, path: Path) -> ModelGraph:
        """Read the graph as the reader of the format inside does.

        Raises:
            BadInputError: The file is damaged, or nothing reads what is inside.
        """
        data = path.read_bytes()
        reader = readers.get(format_of(data))()
        with tempfile.TemporaryDirectory(prefix="unpacked-") as folder:
            inside = Path(folder) / "model"
            inside.write_bytes(unpack(data))
            return reader.read(inside)
