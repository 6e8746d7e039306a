"""Tensors of the Open Inference Protocol as its clients write and read them."""

from __future__ import annotations

import struct
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.serve.client.face import RefusedError
from workbench.serve.oip.binary import texts, write_binary
from workbench.serve.oip.datatypes import BYTES, array_datatype, datatype_of
from workbench.serve.signature import TYPES, Tensor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.serve.client.face import Array

_DTYPES = {datatype_of(dtype): dtype for dtype in TYPES}
_LENGTH = struct.Struct("<I")


def read_inputs(inputs: Sequence[Mapping[str, Any]]) -> tuple[Tensor, ...]:
    """Return the inputs of a model's metadata; a type that NumPy has not is left as it is called."""
    return tuple(
        Tensor(one["name"], _DTYPES.get(one["datatype"], one["datatype"]), tuple(int(size) for size in one["shape"]))
        for one in inputs
    )


def write_head(feeds: Mapping[str, Array], *, binary: bool) -> tuple[dict[str, Any], list[bytes]]:
    """Return a request's JSON part and the tensors' bytes that follow it.

    Args:
        feeds: Arrays by input.
        binary: Send bytes and ask for bytes; else everything is in the JSON part.
    """
    inputs, parts = [], []
    for name, array in feeds.items():
        tensor: dict[str, Any] = {"name": name, "shape": list(array.shape), "datatype": array_datatype(array)}
        if binary:
            parts.append(bytes(write_binary(array)))
            tensor["parameters"] = {"binary_data_size": len(parts[-1])}
        elif tensor["datatype"] == BYTES:
            tensor["data"] = [text.decode(errors="surrogateescape") for text in texts(array)]
        else:
            tensor["data"] = array.reshape(-1)
        inputs.append(tensor)
    document: dict[str, Any] = {"inputs": inputs}
    if binary:
        document["parameters"] = {"binary_data_output": True}
    return document, parts


def read_outputs(outputs: Sequence[Mapping[str, Any]], rest: bytes) -> dict[str, Array]:
    """Return the arrays of an answer.

    Args:
        outputs: Of its JSON part.
        rest: The bytes behind it.

    Raises:
        RefusedError: They are no such tensors.
    """
    found, at = {}, 0
    try:
        for one in outputs:
            size = (one.get("parameters") or {}).get("binary_data_size")
            if size is None:
                found[one["name"]] = from_values(one["data"], one["datatype"], one["shape"])
                continue
            found[one["name"]] = from_bytes(rest[at : at + size], one["datatype"], one["shape"])
            at += size
    except (KeyError, TypeError, ValueError, struct.error) as error:
        raise RefusedError("with something else than outputs", repr(error)) from None
    return found


def from_bytes(data: bytes, datatype: str, shape: Sequence[int]) -> Array:
    """Return the array that bytes hold; strings stay bytes.

    Raises:
        ValueError: They do not.
    """
    if datatype != BYTES:
        dtype = np.dtype(_DTYPES[datatype])
        return np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype).reshape(shape)
    array, at = np.empty(prod(shape), dtype=object), 0
    for index in range(len(array)):
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size + length
        array[index] = data[at - length : at]
    return array.reshape(shape)


def from_values(values: Any, datatype: str, shape: Sequence[int]) -> Array:
    """Return the array that values hold, flat or nested.

    Raises:
        ValueError: They do not.
    """
    dtype = _DTYPES[datatype]
    return np.array(values, object if dtype == "string" else dtype).reshape(shape)
