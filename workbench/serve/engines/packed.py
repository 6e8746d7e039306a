"""A packed model, answered by the engine of the format inside."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.errors import BadInputError
from workbench.evaluate.packing import format_of, unpack
from workbench.serve.engines.base import Engine, ModelFile, open_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.serve.engines.base import Array
    from workbench.serve.signature import Signature

_FILES = {"onnx": "model.onnx", "tflite": "model.tflite"}


class PackedEngine(Engine):
    """Unpacks into a private folder, which is gone as soon as the model is open."""

    def __init__(self, model: ModelFile, threads: int) -> None:
        """Unpack and open the model inside.

        Raises:
            BadInputError: The file is damaged, or what is inside cannot be served.
        """
        data = model.path.read_bytes()
        inside = format_of(data)
        if inside not in _FILES:
            raise BadInputError.of(
                model.path.name, rule=f"must hold one of {', '.join(_FILES)} to be served", got=inside,
                hint="unpack and convert it first",
            )  # fmt: skip
        with tempfile.TemporaryDirectory(prefix="unpacked-") as folder:
            file = Path(folder) / _FILES[inside]
            file.write_bytes(unpack(data))
            self._inside = open_file(ModelFile(file, inside, model.trusted), threads)
        self.signatures: Mapping[str, Signature] = self._inside.signatures
        self.platform = self._inside.platform

    def run(self, signature: str, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Answer one batch."""
        return self._inside.run(signature, feeds)

    def close(self) -> None:
        """Let go of the model inside."""
        self._inside.close()
