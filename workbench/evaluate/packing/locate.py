"""Find the bytes of the constant tensors in a model file."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import numpy as np

from workbench.evaluate.packing.protobuf import onnx_tensors
from workbench.evaluate.packing.ranges import Range, usable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_WEIGHTS = "model.weights.h5"
_LOCAL_HEADER = 30


def locate(data: bytes, format: str) -> list[Range]:  # noqa: A002 - what it is called everywhere
    """Return where a file's tensors are, in its order; nothing for a file or format that is not understood.

    A range only says that these bytes are coded as numbers, so that a wrong one costs bytes and never an answer.

    Args:
        data: The whole file.
        format: An artifact's format.
    """
    finder = _FINDERS.get(format)
    if finder is None:
        return []
    try:
        return usable(finder(data), len(data))
    except Exception:  # noqa: BLE001 - parsers raise what they like for a broken file, which is then packed as it is
        return []


def _tflite(data: bytes) -> Iterator[Range]:
    from ai_edge_litert import schema_py_generated as schema

    content = np.frombuffer(data, np.uint8)
    base = int(content.__array_interface__["data"][0])

    def place(values: np.ndarray) -> int:
        return int(values.__array_interface__["data"][0]) - base

    model = schema.Model.GetRootAs(content, 0)
    sizes = {getattr(schema.TensorType, name): size for name, size in _TFLITE_SIZES.items()}
    for number in range(model.SubgraphsLength()):
        graph = model.Subgraphs(number)
        for index in range(graph.TensorsLength()):
            tensor = graph.Tensors(index)
            name = tensor.Name().decode(errors="replace")
            quantization = tensor.Quantization()
            if quantization is not None and quantization.ScaleLength() > 1:
                scales = quantization.ScaleAsNumpy()
                yield Range(place(scales), 4, scales.shape, f"{name}:scale")
            held = model.Buffers(tensor.Buffer()).DataAsNumpy()
            if isinstance(held, int):  # flatbuffers' word for a tensor that is computed
                continue
            size = sizes.get(tensor.Type(), 1)
            shape = tuple(int(axis) for axis in tensor.ShapeAsNumpy()) if tensor.ShapeLength() else ()
            if size * int(np.prod(shape)) != len(held):
                size, shape = 1, held.shape
            yield Range(place(held), size, shape, name)


def _keras(data: bytes) -> Iterator[Range]:
    import h5py

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        member = archive.getinfo(_WEIGHTS)
        if member.compress_type != zipfile.ZIP_STORED:
            return
        content = archive.read(member)
    start = member.header_offset + _LOCAL_HEADER
    header = data[member.header_offset : start]
    start += int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    found: list[Range] = []

    def note(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and (offset := item.id.get_offset()) is not None:
            found.append(Range(start + offset, item.dtype.itemsize, tuple(item.shape), name))

    with h5py.File(io.BytesIO(content)) as file:
        file.visititems(note)
    yield from found


_TFLITE_SIZES = {
    "FLOAT32": 4, "FLOAT16": 2, "FLOAT64": 8, "INT8": 1, "UINT8": 1, "INT16": 2, "INT32": 4, "INT64": 8, "BOOL": 1,
}  # fmt: skip
_FINDERS: dict[str, Callable[[bytes], Iterable[Range]]] = {
    "onnx": onnx_tensors,
    "tflite": _tflite,
    "tf_keras": _keras,
    "keras": _keras,
}
