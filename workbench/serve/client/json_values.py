"""Arrays to JSON and back, as TensorFlow Serving's REST has them."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

Array = np.ndarray[Any, Any]


def write_json(document: Mapping[str, Any]) -> bytes:
    """Return a document's JSON; arrays in it become nested lists, bytes `{"b64": …}`, NaN stays NaN."""
    try:
        # orjson writes NaN as null and knows no text or object arrays.
        if all(_plain_numbers(array) for array in _arrays(document)):
            return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY, default=_plain)
    except TypeError:
        pass
    return json.dumps(document, default=_plain).encode()


def read_json(data: bytes) -> Any:
    """Return what JSON says, NaN and infinities included; None where it is none."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def read_array(value: Any) -> Array:
    """Return the array that nested lists are: float32 where there are decimals, objects where there are strings.

    Raises:
        ValueError: The lists are not all of the same length.
    """
    first = value
    while isinstance(first, list) and first:
        first = first[0]
    if isinstance(first, dict):  # bytes; NumPy's own type for them loses zeros at their ends
        return np.array(_with_bytes(value), dtype=object)
    array = np.array(value)
    if array.dtype.kind == "U":
        return array.astype(object)
    return array.astype(np.float32) if array.dtype == np.float64 else array


def _arrays(value: Any) -> list[Array]:
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, dict):
        return [array for one in value.values() for array in _arrays(one)]
    return [array for one in value for array in _arrays(one)] if isinstance(value, list) else []


def _plain_numbers(array: Array) -> bool:
    return array.dtype.kind in "iub" or (array.dtype.kind == "f" and bool(np.isfinite(array).all()))


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode("ascii")}
    raise TypeError(type(value).__name__)


def _with_bytes(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_bytes(one) for one in value]
    return base64.b64decode(value["b64"]) if isinstance(value, dict) and value.keys() == {"b64"} else value
