"""The common predict body, `{"instances": [numbers]}` of the declared shape, without building nested lists.

JSON parsing, not inference, is what a small model's request costs. Here the brackets alone are compared with what the
shape demands (a memcmp), then all numbers are parsed as one flat list. Whatever is unusual gives None and goes the
complete way (`json_read`), which also words the errors.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import numpy as np
import orjson

_HEAD = re.compile(rb'\s*\{\s*(?:"signature_name"\s*:\s*"(\w+)"\s*,\s*)?"(instances|inputs)"\s*:\s*\[')
_TAIL = re.compile(rb"\]\s*\}\s*")
_BLANKS = b" \t\r\n"
# Every part of a number becomes "0", brackets and commas stay, anything else becomes "X".
_KINDS = bytes(code if code in b"[]," else ord("0") if code in b"0123456789+-.eE" else ord("X") for code in range(256))
_NO_BRACKETS = bytes(32 if code in b"[]" else code for code in range(256))


def read_fast(body: bytes, shape: tuple[int, ...], dtype: str) -> tuple[str | None, str, np.ndarray[Any, Any]] | None:
    """Read a predict body of one float input.

    Args:
        body: The whole request body.
        shape: Declared shape; only the first size may be free.
        dtype: NumPy's name of the input's type.

    Returns:
        Signature name (None where not given), `instances` or `inputs`, and the array [n, …]; or None where the body is
        not of the plain form.
    """
    if not dtype.startswith("float") or not shape or -1 in shape[1:]:
        return None
    head = _HEAD.match(body)
    end = body.rfind(b"]") + 1
    if head is None or not _TAIL.fullmatch(body, end - 1):
        return None
    values = body[head.end() - 1 : end]
    count = _samples(values, shape[1:])
    if count is None:
        return None
    try:
        numbers = orjson.loads(b"[" + values.translate(_NO_BRACKETS) + b"]")
    except orjson.JSONDecodeError:
        return None
    with np.errstate(over="ignore"):
        array = np.array(numbers, dtype=np.float64).astype(dtype).reshape(count, *shape[1:])
    signature = head[1].decode() if head[1] else None
    return signature, head[2].decode(), array


def _samples(values: bytes, sample: tuple[int, ...]) -> int | None:
    # A number beside a bracket on the wrong side ("2[" or "]2") would vanish from the skeleton unseen.
    kinds = values.translate(_KINDS, _BLANKS)
    if b"X" in kinds or b"0[" in kinds or b"]0" in kinds:
        return None
    skeleton = kinds.translate(None, b"0")
    one = _skeleton(sample)
    count, rest = divmod(len(skeleton) - 1, len(one) + 1)
    if rest or count < 1 or skeleton != b"[" + b",".join([one] * count) + b"]":
        return None
    return count


@lru_cache(maxsize=64)
def _skeleton(shape: tuple[int, ...]) -> bytes:
    inner = b""
    for size in reversed(shape):
        inner = b"[" + b",".join([inner] * size) + b"]"
    return inner
