"""Variables of a SavedModel, read without TensorFlow.

`variables.index` is a LevelDB table (TensorFlow writes it uncompressed) that maps a key to a `BundleEntryProto` with
data type, shape, shard, offset and size; the shards hold the raw values. The formats:
tensorflow/core/util/tensor_bundle, tensorflow/core/protobuf/tensor_bundle.proto and LevelDB's table_format.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workbench.core.errors import BadInputError
from workbench.evaluate.tensors.base import StoredTensor, TensorReader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FOOTER = 48
_BLOCK_END = 4  # restart count at the end of a block, uint32
_SUFFIX = b"/.ATTRIBUTES/VARIABLE_VALUE"
_DTYPES = {1: np.float32, 2: np.float64, 3: np.int32, 4: np.uint8, 5: np.int16, 6: np.int8, 9: np.int64, 19: np.float16}


class SavedModelTensors(TensorReader):
    """Reads the variables of a SavedModel directory."""

    def read(self, path: Path) -> Iterator[StoredTensor]:
        """Give the variables by their path in the object graph.

        Raises:
            BadInputError: The index is not what TensorFlow writes.
        """
        folder = path / "variables"
        index = (folder / "variables.index").read_bytes()
        shards = sorted(folder.glob("variables.data-*"))
        try:
            entries = list(_entries(index))
        except (IndexError, ValueError) as error:
            raise BadInputError.of(
                str(folder / "variables.index"), rule="must be a checkpoint index", got=str(error)
            ) from error
        for key, entry in entries:
            if key.endswith(_SUFFIX) and entry.dtype in _DTYPES:
                values = np.fromfile(
                    shards[entry.shard],
                    dtype=_DTYPES[entry.dtype],
                    count=int(np.prod(entry.shape)),
                    offset=entry.offset,
                )
                yield StoredTensor(key.removesuffix(_SUFFIX).decode(), values.reshape(entry.shape))


class _Entry(NamedTuple):
    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int


def _entries(index: bytes) -> Iterator[tuple[bytes, _Entry]]:
    footer = index[-_FOOTER:]
    _, at = _varint(footer, 0)
    _, at = _varint(footer, at)  # the meta index, which TensorFlow leaves empty
    for _, handle in _block(index, *_handle(footer, at)):
        for key, value in _block(index, *_handle(handle, 0)):
            if key:  # the empty key holds the header
                yield key, _entry(value)


def _handle(data: bytes, at: int) -> tuple[int, int]:
    offset, at = _varint(data, at)
    size, _ = _varint(data, at)
    return offset, size


def _block(index: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Give the key-value pairs of one block; a key shares a prefix with the one before it."""
    block = index[offset : offset + size]
    restarts = int.from_bytes(block[-_BLOCK_END:], "little")
    end = len(block) - _BLOCK_END * (restarts + 1)
    at, key = 0, b""
    while at < end:
        shared, at = _varint(block, at)
        fresh, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + fresh]
        at += fresh
        yield key, block[at : at + length]
        at += length


def _entry(proto: bytes) -> _Entry:
    fields = _fields(proto)
    dims = [value for number, value in _pairs(_bytes(fields, 2)) if number == 2]  # noqa: PLR2004 - TensorShapeProto.dim
    shape = tuple(_number(_fields(_as_bytes(dim)), 1) for dim in dims)
    return _Entry(_number(fields, 1), shape, _number(fields, 3), _number(fields, 4))


def _fields(proto: bytes) -> dict[int, int | bytes]:
    return dict(_pairs(proto))


def _pairs(proto: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Give field numbers and values of a protocol buffer message."""
    at = 0
    while at < len(proto):
        tag, at = _varint(proto, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(proto, at)
            yield tag >> 3, value
        elif kind == 2:  # noqa: PLR2004 - wire type: length-delimited
            size, at = _varint(proto, at)
            yield tag >> 3, proto[at : at + size]
            at += size
        elif kind == 5:  # noqa: PLR2004 - wire type: 32 bits (the checksum)
            at += 4
        else:
            raise ValueError(f"wire type {kind}")


def _number(fields: dict[int, int | bytes], number: int) -> int:
    value = fields.get(number, 0)
    return value if isinstance(value, int) else 0


def _bytes(fields: dict[int, int | bytes], number: int) -> bytes:
    return _as_bytes(fields.get(number, b""))


def _as_bytes(value: int | bytes) -> bytes:
    return value if isinstance(value, bytes) else b""


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a base-128 number and where the next byte is."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the high bit says that more follow
            return value, at
        shift += 7
