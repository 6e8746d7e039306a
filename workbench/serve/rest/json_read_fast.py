"""The common predict bodies, numbers in lists under `instances` or `inputs`, without building nested lists.

JSON parsing, not inference, is what a small model's request costs. Here simdjson finds the numbers and gives them as
one flat buffer, and the body's brackets and commas alone are compared with what the shape demands (a memcmp), since the
buffer does not tell how the numbers were nested. Whatever is unusual gives None and goes the complete way
(`json_read`), which also words the errors. Where simdjson is not installed everything does.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

simdjson: Any
try:
    import simdjson
except ImportError:  # it is a dependency, but not every platform has a wheel
    simdjson = None

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.serve.signature import Signature, Tensor

    Array = np.ndarray[Any, Any]

_NO_SKELETON = bytes(code for code in range(256) if code not in b"[],")
_KINDS = {"f": ("d", np.float64), "i": ("i", np.int64), "u": ("u", np.uint64)}
_KEPT_BYTES = 4 << 20  # a parser keeps the memory of the largest body it saw; one for a larger body is let go
_MAX_RANK = 8
_UNUSUAL = (ValueError, TypeError, KeyError, IndexError, OverflowError, RuntimeError)


@dataclass(frozen=True)
class FastBody:
    """What a body asked: an array for each input, the form its reply must have, and the signature it names."""

    feeds: dict[str, Array]
    by_row: bool
    signature: str


def read_fast(body: bytes, find_signature: Callable[[str], Signature]) -> FastBody | None:
    """Read a predict body whose inputs are numbers in lists of a dense shape.

    Args:
        body: The whole request body.
        find_signature: Gives a signature by name, the default one for an empty name; what it raises is let through.

    Returns:
        The body; None where it is not of the plain form.
    """
    if simdjson is None:
        return None
    try:
        document = _parsed(body)
        keys = list(document.keys()) if isinstance(document, simdjson.Object) else []
        name = document["signature_name"] if "signature_name" in keys else ""
    except _UNUSUAL:
        return None
    if not isinstance(name, str):
        return None
    signature = find_signature(name)
    try:
        return _read(document, keys, body.translate(None, _NO_SKELETON), signature.inputs, name)
    except _UNUSUAL:
        return None


_kept = threading.local()


def _parsed(body: bytes) -> Any:
    if len(body) <= _KEPT_BYTES:
        try:
            return _kept.parser.parse(body)
        except (AttributeError, RuntimeError):  # there is none in this thread yet, or somebody still holds its document
            _kept.parser = simdjson.Parser()
            return _kept.parser.parse(body)
    return simdjson.Parser().parse(body)


def _read(document: Any, keys: Sequence[str], skeleton: bytes, inputs: Sequence[Tensor], name: str) -> FastBody | None:
    parts: list[bytes] = []
    feeds: dict[str, Array] = {}
    by_row = False
    for key in keys:
        if key == "signature_name":
            parts.append(b"")
        elif key in ("instances", "inputs") and not feeds:
            by_row = key == "instances"
            parts.append(_read_value(document[key], inputs, feeds, by_row=by_row))
        else:
            return None
    if not feeds or b",".join(parts) != skeleton:
        return None
    return FastBody(feeds, by_row, name)


def _read_value(value: Any, inputs: Sequence[Tensor], feeds: dict[str, Array], *, by_row: bool) -> bytes:
    """Fill in the arrays and return the brackets and commas that the value must have."""
    if isinstance(value, simdjson.Array):
        (tensor,) = inputs
        return _read_tensor(value, tensor, feeds)
    if by_row or not isinstance(value, simdjson.Object):
        raise TypeError
    tensors = {tensor.name: tensor for tensor in inputs}
    names = list(value.keys())
    if len(names) != len(tensors):
        raise KeyError
    return b",".join([_read_tensor(value[name], tensors[name], feeds) for name in names])


def _read_tensor(value: Any, tensor: Tensor, feeds: dict[str, Array]) -> bytes:
    if not isinstance(value, simdjson.Array):
        raise TypeError
    dtype = np.dtype(tensor.dtype)
    kind, wide = _KINDS["i" if dtype.kind == "u" and dtype.itemsize < 8 else dtype.kind]  # noqa: PLR2004 - bytes
    numbers = np.frombuffer(value.as_buffer(of_type=kind), wide)
    shape = _shape(value, tensor, numbers.size)
    feeds[tensor.name] = _narrowed(numbers, dtype).reshape(shape)
    return _skeleton(shape)


def _shape(value: Any, tensor: Tensor, count: int) -> tuple[int, ...]:
    inner = tensor.shape[1:]
    if tensor.shape and not tensor.unknown_rank and -1 not in inner:
        samples, rest = divmod(count, prod(inner))
        if rest or not samples:
            raise ValueError
        return (samples, *inner)
    shape: list[int] = []
    while isinstance(value, simdjson.Array) and len(shape) <= _MAX_RANK:
        shape.append(len(value))
        value = value[0]
    if prod(shape) != count or len(shape) > _MAX_RANK:
        raise ValueError
    return tuple(shape)


def _narrowed(numbers: Array, dtype: np.dtype[Any]) -> Array:
    if numbers.dtype == dtype:
        return numbers
    if dtype.kind == "f":
        # A number beyond float32 is infinity, not an error.
        with np.errstate(over="ignore"):
            return numbers.astype(dtype)
    info = np.iinfo(dtype)
    if numbers.min() < info.min or numbers.max() > info.max:
        raise OverflowError
    return numbers.astype(dtype)


def _skeleton(shape: tuple[int, ...]) -> bytes:
    sample = _sample_skeleton(shape[1:])
    return b"[" + (sample + b",") * (shape[0] - 1) + sample + b"]"


@lru_cache(maxsize=64)
def _sample_skeleton(shape: tuple[int, ...]) -> bytes:
    return b"".join([b"[", b",".join([_sample_skeleton(shape[1:])] * shape[0]), b"]"]) if shape else b""
