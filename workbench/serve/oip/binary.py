"""Tensors as bytes: little-endian, row-major; strings each after its length in four bytes."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.serve.oip.inputs import shown
from workbench.serve.status import invalid

if TYPE_CHECKING:
    from workbench.serve.oip.inputs import Declared
    from workbench.serve.signature import Tensor

    Array = np.ndarray[Any, Any]

    Buffer = bytes | memoryview

_LENGTH = struct.Struct("<I")


def read_binary(declared: Declared, data: Buffer) -> Array:
    """Return the tensor that bytes hold, without a copy where the machine can read them where they lie.

    Args:
        declared: Its type and shape.
        data: All its bytes and no others.

    Raises:
        RequestError: INVALID_ARGUMENT, they are more or fewer than the shape says.
    """
    tensor = declared.tensor
    if tensor.dtype == "string":
        return declared.shaped(_strings(declared, data))
    dtype = np.dtype(tensor.dtype).newbyteorder("<")
    expected = declared.count * dtype.itemsize
    if len(data) != expected:
        raise invalid(
            f"input byte size mismatch for input '{tensor.name}' of shape {shown(declared.shape)}."
            f" Expected {expected}, got {len(data)}"
        )
    return declared.shaped(_numbers(data, dtype))


def read_raw(tensor: Tensor, data: Buffer) -> tuple[int, ...]:
    """Return the shape that a body without any head means: as many samples as its bytes are.

    Raises:
        RequestError: INVALID_ARGUMENT, the bytes are no whole number of samples, or more than one size is free.
    """
    free = tensor.shape.count(-1)
    if tensor.dtype == "string":  # the whole body is one string
        shape = tuple(1 if size == -1 else size for size in tensor.shape)
        if any(size != 1 for size in shape):
            raise invalid(f"a raw body is one element, but input '{tensor.name}' is of shape {shown(tensor.shape)}")
        return shape
    if free > 1:
        raise invalid(f"a raw body cannot tell the shape of input '{tensor.name}', of which {free} sizes are free")
    sample = np.dtype(tensor.dtype).itemsize
    for size in tensor.shape:
        sample *= 1 if size == -1 else size
    count, rest = divmod(len(data), sample) if sample else (0, len(data))
    if rest or count == 0 or (not free and count != 1):
        raise invalid(
            f"input byte size mismatch for input '{tensor.name}' of shape {shown(tensor.shape)}."
            f" Expected {'a multiple of ' if free else ''}{sample}, got {len(data)}"
        )
    return tuple(count if size == -1 else size for size in tensor.shape)


def write_binary(array: Array) -> bytes | memoryview:
    """Return a tensor's bytes."""
    if array.dtype.kind in "OSU":
        parts = []
        for text in texts(array):
            parts += [_LENGTH.pack(len(text)), text]
        return b"".join(parts)
    flat = np.ascontiguousarray(array).reshape(-1)
    return flat.astype(flat.dtype.newbyteorder("<"), copy=False).view(np.uint8).data


def texts(array: Array) -> list[bytes]:
    """Return all elements of an array of strings as bytes."""
    flat = array.reshape(-1).tolist()
    return [one if isinstance(one, bytes) else str(one).encode(errors="surrogateescape") for one in flat]


def _numbers(data: Buffer, dtype: np.dtype[Any]) -> Array:
    if not len(data):
        return np.empty(0, dtype)
    if dtype.kind == "b":  # any byte but 0 is true; NumPy would keep the 2 as it is
        return np.frombuffer(data, np.uint8).astype(np.bool_)
    array = np.frombuffer(data, dtype)
    # A head of odd length leaves the numbers between the machine's words, where native code must not read them.
    return array if array.flags.aligned else array.copy()


def _strings(declared: Declared, data: Buffer) -> Array:
    name, at, end = declared.tensor.name, 0, len(data)
    if declared.count * _LENGTH.size > end:
        raise invalid(f"expected {declared.count} string elements for inference input '{name}', got {end} bytes")
    found = []
    while at < end:
        if end - at < _LENGTH.size:
            raise invalid(
                f"incomplete string length indicator for inference input '{name}',"
                f" expecting {_LENGTH.size} bytes but only {end - at} bytes available"
            )
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        if length > end - at:
            raise invalid(
                f"incomplete string data for inference input '{name}',"
                f" expecting string of length {length} but only {end - at} bytes available"
            )
        found.append(bytes(data[at : at + length]))
        at += length
    if len(found) != declared.count:
        raise invalid(f"expected {declared.count} string elements for inference input '{name}', got {len(found)}")
    array = np.empty(len(found), dtype=object)
    array[:] = found
    return array
