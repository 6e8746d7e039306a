"""From tensors to the JSON that TensorFlow Serving would write."""

from __future__ import annotations

import base64
import json
import math
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from workbench.serve.status import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

Array = np.ndarray[Any, Any]

_EXACT_UP_TO = 256
"""Values; above it numbers are written by orjson: equal when read back, only `1e-05` is spelled `1e-5`."""


def write_predictions(outputs: Mapping[str, Array]) -> bytes:
    """Write the row form, `{"predictions": [...]}`.

    Raises:
        RequestError: An output has no batch dimension, or the outputs' batches differ.
    """
    sizes = {}
    for name, array in outputs.items():
        if array.ndim == 0:
            raise invalid(f"Tensor name: {name} has no shape information ")
        sizes[name] = array.shape[0]
    expected = next(iter(sizes.values()))
    for name, size in sizes.items():
        if size != expected:
            raise invalid(f"Tensor name: {name} has inconsistent batch size: {size} expecting: {expected}")
    if len(outputs) == 1:
        name, array = next(iter(outputs.items()))
        return b'{"predictions":' + _write(array, _as_bytes(name)) + b"}"
    rows = [_object({name: array[index] for name, array in outputs.items()}) for index in range(expected)]
    return b'{"predictions":[' + b",".join(rows) + b"]}"


def write_outputs(outputs: Mapping[str, Array]) -> bytes:
    """Write the columnar form, `{"outputs": value or {name: value}}`."""
    if len(outputs) == 1:
        name, array = next(iter(outputs.items()))
        return b'{"outputs":' + _write(array, _as_bytes(name)) + b"}"
    return b'{"outputs":' + _object(outputs) + b"}"


def write_error(message: str) -> bytes:
    """Write the error body."""
    # json.dumps escapes all but ASCII, so half a surrogate from a request cannot break the reply.
    return json.dumps({"error": message}).encode()


def _object(values: Mapping[str, Array]) -> bytes:
    members = (orjson.dumps(name) + b":" + _write(value, _as_bytes(name)) for name, value in values.items())
    return b"{" + b",".join(members) + b"}"


def _as_bytes(name: str) -> bool:
    return name.endswith("_bytes")


def _write(value: Array, as_bytes: bool) -> bytes:  # noqa: FBT001 - private
    array = np.asarray(value)
    if array.dtype.kind == "f":
        return _write_floats(array)
    if array.dtype.kind in "iub":
        return orjson.dumps(array.tolist())
    return json.dumps(_texts(array.tolist(), as_bytes=as_bytes)).encode()


def _write_floats(array: Array) -> bytes:
    if array.size > _EXACT_UP_TO and array.ndim and np.isfinite(array).all():
        plain = np.ascontiguousarray(array.astype(np.float32) if array.dtype == np.float16 else array)
        return orjson.dumps(plain, option=orjson.OPT_SERIALIZE_NUMPY)
    single = array.dtype != np.float64
    return _nested(array.tolist(), single=single).encode()


def _nested(value: Any, *, single: bool) -> str:
    if isinstance(value, list):
        return "[" + ",".join([_nested(item, single=single) for item in value]) + "]"
    return decimal(value, single=single)


def decimal(value: float, *, single: bool) -> str:
    """Return the shortest text that reads back to the same number, six digits first.

    Whole numbers get `.0`; the exponent form starts at 1e6 and below 1e-4.

    Args:
        value: The number; NaN and the infinities get JSON's unofficial names.
        single: It is a float32 (or float16), not a float64.
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    for digits in range(6, 18):
        text = f"{value:.{digits}g}"
        read = float(text)
        if (_float32(read) if single else read) == value:
            break
    return text if "." in text or "e" in text else text + ".0"


def _float32(value: float) -> float:
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:  # the six digits of the largest float32 lie beyond it
        return math.inf


def _texts(value: Any, *, as_bytes: bool) -> Any:
    if isinstance(value, list):
        return [_texts(item, as_bytes=as_bytes) for item in value]
    raw = value if isinstance(value, bytes) else str(value).encode()
    return {"b64": base64.b64encode(raw).decode()} if as_bytes else raw.decode(errors="replace")
