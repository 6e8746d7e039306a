"""Tensors of the model inside a packed file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.evaluate.packing.container import unpack
from workbench.evaluate.packing.frame import format_of
from workbench.evaluate.tensors.base import StoredTensor, TensorReader, readers

if TYPE_CHECKING:
    from collections.abc import Iterator


class PackedTensors(TensorReader):
    """Reads `.packed`: the tensors are those of the file that it unpacks to."""

    def read(self, path: Path) -> Iterator[StoredTensor]:
        """Give the tensors as the reader of the format inside does.

        Raises:
            BadInputError: The file is damaged, or nothing reads what is inside.
        """
        data = path.read_bytes()
        reader = readers.get(format_of(data))()
        with tempfile.TemporaryDirectory(prefix="unpacked-") as folder:
            inside = Path(folder) / "model"
            inside.write_bytes(unpack(data))
            yield from list(reader.read(inside))
