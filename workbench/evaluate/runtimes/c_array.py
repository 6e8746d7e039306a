"""An array in C++ source, answered by LiteRT from the very bytes that a microcontroller would get."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.evaluate.c_source import array_in
from workbench.evaluate.runtimes.tflite import TfliteRuntime

if TYPE_CHECKING:
    from workbench.core.artifact import Artifact


class CArrayRuntime(TfliteRuntime):
    """Reads the model back out of `model.cc`, without a compiler."""

    @staticmethod
    def _flatbuffer(artifact: Artifact) -> bytes:
        return array_in(artifact.path)
