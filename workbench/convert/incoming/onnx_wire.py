"""What must be known of an ONNX file before it is parsed: that it is one, and which other files it asks for.

Read from the bytes in plain Python, for it runs in the kernel. Field numbers are those of onnx/onnx.proto.
"""

from __future__ import annotations

import mmap
import sys
from itertools import islice
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from workbench.core.errors import BadInputError
from workbench.evaluate.packing.protobuf import Field, fields

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_VARINT, _BYTES = 0, 2
_GRAPH = 7
# ModelProto: field number and wire type.
_MODEL = {
    (1, _VARINT), (2, _BYTES), (3, _BYTES), (4, _BYTES), (5, _VARINT), (6, _BYTES), (_GRAPH, _BYTES), (8, _BYTES),
    (14, _BYTES), (20, _BYTES), (25, _BYTES), (26, _BYTES),
}  # fmt: skip
# Which fields of a message hold messages that lead to tensors.
_LEADING = {
    "model": {_GRAPH: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
_EXTERNAL_DATA = 13
_KEY, _VALUE = 1, 2
_MOST_PARTS, _MOST_FIELDS = 100_000, 3_000_000


def is_model(path: Path) -> bool:
    """Say whether a file is an ONNX model, truncated or not: one whose outermost fields are a model's, a graph too."""
    graph = False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            # Without an end, so that a graph that is cut off is seen; what follows the last byte is no field.
            for field in islice(fields(data, 0, sys.maxsize), _MOST_PARTS):  # type: ignore[arg-type]
                if (field.number, field.kind) not in _MODEL:
                    break
                graph |= field.number == _GRAPH
        except ValueError:
            pass
    return graph


def external_locations(path: Path) -> tuple[str, ...]:
    """Return the files that hold the model's tensors, as paths below its folder, each once.

    Raises:
        BadInputError: One lies outside of the folder, is a link, the model itself, or missing.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data.find(b"location") < 0:
            return ()
        try:
            found = dict.fromkeys(_locations(data))  # type: ignore[arg-type]
        except ValueError:
            return ()  # the job that parses it says what is wrong
    for location in found:
        _require_inside(path, location)
    return tuple(found)


def _locations(data: bytes) -> Iterator[str]:
    waiting, left = [("model", 0, len(data))], _MOST_FIELDS
    while waiting:
        kind, start, end = waiting.pop()
        for field in fields(data, start, end):
            left -= 1
            if left < 0:
                raise BadInputError.of("model", rule=f"must have at most {_MOST_FIELDS:,} parts", got="more")
            if field.kind != _BYTES:
                continue
            if kind == "tensor":
                if field.number == _EXTERNAL_DATA:
                    yield from _location(data, field)
            elif field.number in _LEADING[kind]:
                waiting.append((_LEADING[kind][field.number], field.start, field.end))


def _location(data: bytes, entry: Field) -> Iterator[str]:
    parts = {each.number: data[each.start : each.end] for each in fields(data, entry.start, entry.end)}
    if parts.get(_KEY) == b"location":
        yield parts.get(_VALUE, b"").decode(errors="replace")


def _require_inside(path: Path, location: str) -> None:
    rule = "must keep its external data in files of its own folder"
    parts = PurePosixPath(location).parts
    outside = any(kind(location).anchor for kind in (PurePosixPath, PureWindowsPath))
    if outside or not parts or ".." in (*parts, *PureWindowsPath(location).parts) or "\0" in location:
        raise BadInputError.of(str(path), rule=rule, got=location, hint="save the model anew with its data beside it")
    steps = [path.parent.joinpath(*parts[: count + 1]) for count in range(len(parts))]
    if any(step.is_symlink() for step in steps):
        raise BadInputError.of(str(path), rule=rule, got=f"{location}, a link", hint="put the file itself there")
    if not steps[-1].is_file():
        raise BadInputError.of(str(path), rule=rule, got=f"{location}, which is no file", hint="copy it there, too")
    if steps[-1].samefile(path):
        raise BadInputError.of(str(path), rule=rule, got=f"{location}, the model itself", hint="save the model anew")
