"""Constant buffers of a TFLite model that is an array in C++ source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.evaluate.c_source import array_in
from workbench.evaluate.tensors.tflite import TfliteTensors

if TYPE_CHECKING:
    from pathlib import Path


class CArrayTensors(TfliteTensors):
    """Reads `model.cc` of a directory."""

    @staticmethod
    def _flatbuffer(path: Path) -> bytes:
        return array_in(path)
