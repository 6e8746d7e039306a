"""From tensors to the JSON that TensorFlow Serving would write."""

from __future__ import annotations

import base64
import json
import math
import re
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from workbench.serve.status import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Array = np.ndarray[Any, Any]

# What orjson spells otherwise than the original: from 1e6 on, and below 1e-4.
_LARGE_FROM = 1e6
_LARGE = re.compile(rb"-?(?:\d+(?:\.\d+)?e\+?\d+|\d{7,}\.\d+)")
_SMALL = tuple(
    (re.compile(rb"(?<!\d)0\.0000%s([1-9])(\d*)" % more), rb"\1.\2e-0%d" % power)
    for more, power in ((b"", 5), (b"0", 6))
)
_TINY = re.compile(rb"e-(\d)(?!\d)")
_FEW = 64
_EXACT_UP_TO = 1 << 16
"""Values; above it numbers are written by orjson alone: equal when read back, only `1e-05` is spelled `1e-5`."""


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
    columns = [_rows(array, orjson.dumps(name) + b":", _as_bytes(name)) for name, array in outputs.items()]
    rows = [b",".join(row) for row in zip(*columns, strict=True)]
    return b'{"predictions":[{' + b"},{".join(rows) + b"}]}" if rows else b'{"predictions":[]}'


def write_outputs(outputs: Mapping[str, Array]) -> bytes:
    """Write the columnar form, `{"outputs": value or {name: value}}`."""
    if len(outputs) == 1:
        name, array = next(iter(outputs.items()))
        return b'{"outputs":' + _write(array, _as_bytes(name)) + b"}"
    return b'{"outputs":' + _object(outputs) + b"}"


def write_classes(rows: Sequence[Sequence[tuple[str, float]]]) -> bytes:
    """Write the reply to classify, `{"results": [[[label, score], …], …]}`.

    Args:
        rows: (label, float32 score) pairs of each example.
    """
    texts = [",".join([f"[{json.dumps(label)},{decimal(score, single=True)}]" for label, score in row]) for row in rows]
    return f'{{"results":[{",".join([f"[{text}]" for text in texts])}]}}'.encode()


def write_values(values: Sequence[float]) -> bytes:
    """Write the reply to regress, `{"results": [value, …]}`; values of float32."""
    return f'{{"results":{_nested(list(values), single=True)}}}'.encode()


def write_error(message: str) -> bytes:
    """Write the error body."""
    # json.dumps escapes all but ASCII, so half a surrogate from a request cannot break the reply.
    return json.dumps({"error": message}).encode()


def _rows(array: Array, head: bytes, as_bytes: bool) -> list[bytes]:  # noqa: FBT001 - private
    """Write each row of an array, with a head before it."""
    if array.dtype.kind not in "fiub" or not array.size:
        return [head + _write(row, as_bytes) for row in array]
    depth = array.ndim - 1
    # Written as a whole and cut between the rows: nothing but a row's end has that many brackets.
    text = _write(array, as_bytes)[1 + depth : -1 - depth]
    before, after = head + b"[" * depth, b"]" * depth
    return [before + row + after for row in text.split(after + b"," + b"[" * depth)]


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
    single = array.dtype != np.float64
    plain = np.ascontiguousarray(array, np.float32 if single else np.float64)
    largest = _largest(plain)
    if not array.ndim or not largest < math.inf:
        if array.size > _EXACT_UP_TO:
            return _with_names(plain)
        return _nested(array.tolist(), single=single).encode()
    text = orjson.dumps(plain, option=orjson.OPT_SERIALIZE_NUMPY)
    if array.size > _EXACT_UP_TO:
        return text
    # Both write the shortest digits that read back to the same number; only their form may differ.
    if b"e-" in text:
        if _has_odd(plain):
            return _nested(array.tolist(), single=single).encode()
        text = _TINY.sub(rb"e-0\1", text)
    if b"0.0000" in text:
        for pattern, spelled in _SMALL:
            text = pattern.sub(spelled, text)
        text = text.replace(b".e", b"e")
    if largest < _LARGE_FROM:
        return text
    return _LARGE.sub(_respelled_single if single else _respelled_double, text)


def _largest(array: Array) -> float:
    """Return the largest absolute value, 0 where there is none, and NaN where one is none."""
    if array.size > _FEW:
        return float(np.abs(array).max(initial=0.0))
    # A third of the time for a reply of ten numbers. `max` passes over NaN, a sum does not.
    values = array.ravel().tolist()
    return max(map(abs, values), default=0.0) if not math.isnan(sum(values)) else math.nan


def _with_names(array: Array) -> bytes:
    """Write many numbers of which some are none: orjson writes `null` for those, in their order."""
    text = orjson.dumps(array, option=orjson.OPT_SERIALIZE_NUMPY)
    odd = array[~np.isfinite(array)]
    names = np.where(np.isnan(odd), b"NaN", np.where(odd > 0, b"Infinity", b"-Infinity")).tolist()
    parts = text.split(b"null")
    return b"".join([piece for pair in zip(parts, [*names, b""], strict=True) for piece in pair])


def _has_odd(array: Array) -> bool:
    """Tell whether the shortest digits of a value are perhaps not what rounding to so many digits gives.

    So it is with the least numbers, whose precision is less than six digits, and with powers of two.
    """
    mantissa, exponent = np.frexp(array)
    least = np.finfo(array.dtype).minexp + 1
    return bool(((exponent <= least) | (np.abs(mantissa) == 0.5))[array != 0].any())  # noqa: PLR2004 - a power of two


def _respelled_single(match: re.Match[bytes]) -> bytes:
    return decimal(_float32(float(match[0])), single=True).encode()


def _respelled_double(match: re.Match[bytes]) -> bytes:
    return decimal(float(match[0]), single=False).encode()


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
