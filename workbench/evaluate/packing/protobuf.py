"""Where the tensors of an ONNX file lie: onnx itself gives values and no offsets.

Field numbers are those of onnx/onnx.proto.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, NamedTuple

from workbench.evaluate.packing.coder import read_varint
from workbench.evaluate.packing.ranges import Range

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARINT, _LONG, _BYTES, _SHORT = 0, 1, 2, 5
_LONGEST_VALUE = 10  # negative numbers, such as an axis of -1, are written as 64 bits
_GRAPH = 7
_NODE, _INITIALIZER = 1, 5
_ATTRIBUTE = 5
_TENSOR = 5
_DIMS, _TYPE, _FLOATS, _NAME, _RAW, _DOUBLES = 1, 2, 4, 8, 9, 10
# TensorProto.DataType: bytes an element.
_SIZES = {1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 16: 2}


class Field(NamedTuple):
    """A field of a message: its number, and either a value or the place of its bytes."""

    number: int
    kind: int
    start: int
    end: int
    value: int


def onnx_tensors(data: bytes) -> Iterator[Range]:
    """Give the initializers and constants of the graph whose values lie in one piece.

    Raises:
        ValueError: It is no ONNX file.
    """
    for graph in _messages(data, 0, len(data), _GRAPH):
        for tensor in _messages(data, graph.start, graph.end, _INITIALIZER):
            yield from _tensor(data, tensor, "")
        for node in _messages(data, graph.start, graph.end, _NODE):
            output = next(_messages(data, node.start, node.end, 2), None)
            name = data[output.start : output.end].decode(errors="replace") if output else ""
            for attribute in _messages(data, node.start, node.end, _ATTRIBUTE):
                for tensor in _messages(data, attribute.start, attribute.end, _TENSOR):
                    yield from _tensor(data, tensor, name)


def _tensor(data: bytes, tensor: Field, name: str) -> Iterator[Range]:
    shape: list[int] = []
    kind, held = 0, None
    for field in fields(data, tensor.start, tensor.end):
        if field.number == _DIMS and field.kind == _VARINT:
            shape.append(field.value)
        elif field.number == _DIMS:
            shape.extend(_packed(data, field))
        elif field.number == _TYPE:
            kind = field.value
        elif field.number == _NAME:
            name = data[field.start : field.end].decode(errors="replace") or name
        elif field.number in (_RAW, _FLOATS, _DOUBLES) and field.kind == _BYTES:
            held = field
    if held is None:
        return
    length = held.end - held.start
    size = _SIZES.get(kind, 1)
    if size * prod(shape) != length:
        size, shape = 1, [length]
    yield Range(held.start, size, tuple(shape), name)


def _messages(data: bytes, start: int, end: int, number: int) -> Iterator[Field]:
    return (field for field in fields(data, start, end) if field.number == number and field.kind == _BYTES)


def fields(data: bytes, start: int, end: int) -> Iterator[Field]:
    """Give the fields of a message that lies between two places, without a copy of their bytes.

    Raises:
        ValueError: They are no such message, or it is cut off.
    """
    at = start
    while at < end:
        tag, at = read_varint(data, at)
        kind, value, stop = tag & 7, 0, at
        if kind == _VARINT:
            value, stop = read_varint(data, at, _LONGEST_VALUE)
        elif kind == _BYTES:
            length, at = read_varint(data, at)
            stop = at + length
        elif kind in (_LONG, _SHORT):
            stop = at + (8 if kind == _LONG else 4)
        else:
            raise ValueError(f"wire type {kind}")
        if stop > end:
            raise ValueError("a field is longer than its message")
        yield Field(tag >> 3, kind, at, stop, value)
        at = stop


def _packed(data: bytes, field: Field) -> Iterator[int]:
    at = field.start
    while at < field.end:
        value, at = read_varint(data, at)
        yield value
