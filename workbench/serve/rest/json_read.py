"""From a JSON value to tensors, complete and strict; wording as TensorFlow Serving's.

The slow, general path: `json_read_fast` takes the common case before it.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.serve.rest.json_steps import decode, may_be_too_big
from workbench.serve.status import RequestError, invalid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.serve.signature import Tensor

_MAX_RANK = 64  # NumPy's own bound
_MAX_SHOWN = 256
_LONG_BODY = 1 << 18  # bytes; a longer one is decoded in steps


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(text)
    return value


_ENCODER = json.JSONEncoder()
_DECODER = json.JSONDecoder()
_STRICT_DECODER = json.JSONDecoder(parse_float=_finite)  # slower: it calls Python for each number
_TYPE_NAMES = {bool: "Boolean", dict: "Object", list: "Array", str: "String", int: "Number", float: "Number"}
_ALLOWED: dict[str, set[type]] = {"f": {int, float}, "b": {bool}}
_SYNTAX = (
    ("Expecting value", "Invalid value."),
    ("Expecting property name", "Missing a name for object member."),
    ("Expecting ':'", "Missing a colon after a name of object member."),
    ("Expecting ','", "Missing a comma, or the end of an object or array."),
    ("Unterminated string", "Missing a closing quotation mark in string."),
    ("Invalid control", "Invalid character in string."),
    ("Invalid \\", "Invalid escape character in string."),
)


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse a request body, which must be one JSON object; what follows it is ignored.

    `NaN`, `Infinity` and `-Infinity` are numbers here, as in TensorFlow Serving.

    Raises:
        RequestError: INVALID_ARGUMENT with the reason and, for syntax, the offset.
    """
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    value = _parse(body)
    if not isinstance(value, dict):
        raise invalid(f"JSON Value: {shown(value)} Is not object")
    return value


def _parse(body: bytes) -> Any:
    try:
        text = body.decode("utf-8-sig")
        start = len(text) - len(text.lstrip(" \t\r\n"))
        if start == len(text):
            raise invalid("JSON Parse error: The document is empty")
        decoder = _STRICT_DECODER if may_be_too_big(text) else _DECODER
        return decoder.raw_decode(text, start)[0] if len(body) <= _LONG_BODY else decode(decoder, text, start)
    except UnicodeDecodeError as error:
        raise invalid(f"JSON Parse error: Invalid encoding in string. at offset: {error.start}") from None
    except json.JSONDecodeError as error:
        reason = next((ours for theirs, ours in _SYNTAX if error.msg.startswith(theirs)), "Invalid value.")
        raise invalid(f"JSON Parse error: {reason} at offset: {error.pos}") from None
    except RecursionError:
        raise invalid("JSON Parse error: Arrays and objects are nested too deeply.") from None
    except ValueError:  # beyond float64, or an integer of thousands of digits
        raise invalid("JSON Parse error: Number too big to be stored in double.") from None


def shown(value: Any) -> str:
    """Return a value as JSON for an error message, cut where it is long."""
    text = ""
    try:
        for part in _ENCODER.iterencode(value):
            text += part[: _MAX_SHOWN + 1]
            if len(text) > _MAX_SHOWN:  # the rest of a long one is never written
                return text[:_MAX_SHOWN] + "…"
    except (RecursionError, ValueError):
        return "…"
    return text


def read_tensor(value: Any, tensor: Tensor) -> np.ndarray[Any, Any]:
    """Convert one JSON value, a scalar or nested lists, to an array of the tensor's type.

    Raises:
        RequestError: INVALID_ARGUMENT where the lists are ragged or a value is of another type.
    """
    shape = _dense_shape(value)
    leaves = _leaves(value, shape)
    return _convert(leaves, tensor).reshape(shape)


def _dense_shape(value: Any) -> tuple[int, ...]:
    # The first element of each level decides; `_leaves` holds all others to it.
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        if not value:
            break
        value = value[0]
    if len(shape) > _MAX_RANK:
        raise invalid(f"Tensor rank must be at most {_MAX_RANK}, got {len(shape)}")
    return tuple(shape)


def _leaves(value: Any, shape: tuple[int, ...]) -> list[Any]:
    rank = len(shape)
    items = [value]
    for level, size in enumerate(shape):
        for item in items:
            if not isinstance(item, list):
                raise invalid(
                    f"JSON Value: {shown(item)} found at incorrect level: {level + 1}"
                    f" in the JSON DOM. Expected at level: {rank}"
                )
            if len(item) != size:
                raise invalid(
                    f"Encountered list at unexpected size: {len(item)} at level: {level} expected size: {size}"
                )
        items = list(chain.from_iterable(items))
    if any(isinstance(item, list) for item in items):
        raise invalid(f"Encountered list at unexpected level: {rank} expected < {rank}")
    return items


def _convert(leaves: list[Any], tensor: Tensor) -> np.ndarray[Any, Any]:
    if tensor.dtype == "string":
        texts = np.empty(len(leaves), dtype=object)
        texts[:] = [_text(leaf, tensor) for leaf in leaves]
        return texts
    dtype = np.dtype(tensor.dtype)
    allowed = _ALLOWED.get(dtype.kind, {int})
    if not set(map(type, leaves)) <= allowed:
        raise _type_error(next(leaf for leaf in leaves if type(leaf) not in allowed), tensor)
    if dtype.kind in "iu":
        _check_range(leaves, dtype, tensor)
    try:
        # A number beyond float32 is infinity, not an error.
        with np.errstate(over="ignore"):
            return np.array(leaves, dtype=np.float64 if dtype.kind == "f" else dtype).astype(dtype)
    except OverflowError:  # an integer beyond float64
        raise invalid("JSON Parse error: Number too big to be stored in double.") from None


def _check_range(leaves: Iterable[int], dtype: np.dtype[Any], tensor: Tensor) -> None:
    info = np.iinfo(dtype)
    for leaf in leaves:
        if not info.min <= leaf <= info.max:
            raise _type_error(leaf, tensor)


def _text(leaf: Any, tensor: Tensor) -> bytes:
    if isinstance(leaf, dict):
        if not is_base64(leaf):
            raise invalid(f"JSON Value: {shown(leaf)} not formatted correctly for base64 data")
        return unbase64(leaf["b64"])
    if not isinstance(leaf, str):
        raise _type_error(leaf, tensor)
    try:
        return leaf.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        raise invalid("JSON Parse error: The surrogate pair in string is invalid.") from None


def is_base64(value: Any) -> bool:
    """Tell whether a value is `{"b64": "…"}`, which stands for one string."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), str)


def unbase64(text: str) -> bytes:
    """Return what a base64 text means.

    Raises:
        RequestError: INVALID_ARGUMENT, it is none.
    """
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise invalid("Unable to base64 decode") from None


def _type_error(leaf: Any, tensor: Tensor) -> RequestError:
    kind = "Null" if leaf is None else str(leaf) if isinstance(leaf, bool) else _TYPE_NAMES[type(leaf)]
    return invalid(f"JSON Value: {shown(leaf)} Type: {kind} is not of expected type: {tensor.type_name}")
