"""The body of a classify or regress request: a list of examples, each features by name, as serialised `tf.Example`s.

The messages are few and never change, so they are written here byte by byte: no framework is needed.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.serve.rest.json_read import is_base64, shown, unbase64
from workbench.serve.status import invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

_LENGTH_DELIMITED = 2
_BYTES_LIST, _FLOAT_LIST, _INT64_LIST = 1, 2, 3
_MIN_INT64, _MAX_INT64 = -(1 << 63), (1 << 63) - 1


@dataclass(frozen=True)
class ExamplesBody:
    """What a body asked: serialised examples [n] (objects of `bytes`) and the signature it names."""

    examples: np.ndarray[Any, Any]
    signature: str


def read_examples(document: dict[str, Any]) -> ExamplesBody:
    """Read a parsed body.

    Args:
        document: The body; unknown keys are ignored.

    Raises:
        RequestError: INVALID_ARGUMENT in TensorFlow Serving's words.
    """
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(
            f"JSON Value: {shown(document)} not formatted correctly. 'signature_name' key must be a string value."
        )
    given = document.get("examples")
    if given is None:
        raise invalid(
            f"When method is classify, key 'examples' is expected and was not found. Value: {shown(document)}"
        )
    if not isinstance(given, list):
        raise invalid(f"Expecting 'examples' value to be a list/array. Value: {shown(document)}")
    if not given:
        raise invalid(f"'examples' value is an empty array. Value: {shown(document)}")
    # Messages that are joined are merged; what an example says itself comes last and holds.
    context = _example(document["context"]) if "context" in document else b""
    examples = np.empty(len(given), dtype=object)
    examples[:] = [context + _example(one) for one in given]
    return ExamplesBody(examples, name)


def _example(features: Any) -> bytes:
    if not isinstance(features, dict):
        raise invalid(f"Example must be JSON object but got JSON Value: {shown(features)}")
    entries = [_field(1, _field(1, _utf8(name)) + _field(2, _feature(name, value))) for name, value in features.items()]
    return _field(1, b"".join(entries))


def _feature(name: str, value: Any) -> bytes:
    values = value if isinstance(value, list) else [value]
    if not values:
        return b""
    kinds = {_kind(name, one) for one in values}
    if len(kinds) > 1:
        raise invalid(
            f"Unexpected element type in JSON Value: {shown(value)} of feature named {name}:"
            " all elements must be of one kind"
        )
    kind = kinds.pop()
    return _field(kind, _LISTS[kind](values))


def _kind(name: str, value: Any) -> int:
    if isinstance(value, str) or is_base64(value):
        return _BYTES_LIST
    if isinstance(value, float):
        return _FLOAT_LIST
    if isinstance(value, int) and _MIN_INT64 <= value <= _MAX_INT64:
        return _INT64_LIST
    raise invalid(f"JSON Value: {shown(value)} of feature named {name} is of a type that no feature can have")


def _bytes_list(values: Sequence[Any]) -> bytes:
    return b"".join(_field(1, _utf8(value) if isinstance(value, str) else unbase64(value["b64"])) for value in values)


def _float_list(values: Sequence[float]) -> bytes:
    with np.errstate(over="ignore"):
        return _field(1, np.array(values, np.float64).astype("<f4").tobytes())


def _int64_list(values: Sequence[int]) -> bytes:
    return _field(1, b"".join(_varint(int(value) & (1 << 64) - 1) for value in values))


_LISTS = {_BYTES_LIST: _bytes_list, _FLOAT_LIST: _float_list, _INT64_LIST: _int64_list}


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        raise invalid("JSON Parse error: The surrogate pair in string is invalid.") from None


def _field(number: int, content: bytes) -> bytes:
    return struct.pack("B", number << 3 | _LENGTH_DELIMITED) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)
