"""JSON decoded in many short steps: a decoder in C keeps all other threads waiting until it has done the whole body."""

from __future__ import annotations

import json
import re
from json.decoder import JSONArray, JSONObject  # type: ignore[attr-defined]
from typing import Any

_LEVELS = 3
"""Nesting down to which each value is a step of its own: the object, its keys, and the rows of a tensor."""

_STEP = 1 << 16
_DIGITS = 309  # of an integer that no float64 can hold
_LONG = re.compile(rf"(?<![0-9])[0-9]{{{_DIGITS}}}")
_EXPONENT = re.compile(r"[eE]\+?[0-9]{3}")
_EXPONENT_SIGNS = 5


def decode(decoder: Any, text: str, start: int) -> Any:
    """Return the value that begins at an offset, as `decoder.raw_decode` would; what follows it is ignored.

    Args:
        decoder: A `json.JSONDecoder`, which decodes each step.
        text: What is decoded.
        start: The offset.

    Raises:
        json.JSONDecodeError: It is no JSON.
    """
    names: dict[str, str] = {}

    def scan(text: str, at: int, level: int) -> Any:
        sign = text[at : at + 1]
        if level < _LEVELS and sign == "[":
            return JSONArray((text, at + 1), lambda text, at: scan(text, at, level + 1))
        if level < _LEVELS and sign == "{":
            return JSONObject((text, at + 1), True, lambda text, at: scan(text, at, level + 1), None, None, names)  # noqa: FBT003 - the standard library's own
        return decoder.scan_once(text, at)

    try:
        return scan(text, start, 0)[0]
    except StopIteration as error:
        raise json.JSONDecodeError("Expecting value", text, error.value) from None


def may_be_too_big(text: str) -> bool:
    """Tell whether a number of a text is perhaps beyond float64."""
    patterns = [(_LONG, _DIGITS)]
    if "e" in text or "E" in text:
        patterns.append((_EXPONENT, _EXPONENT_SIGNS))
    return any(
        pattern.search(text, at, at + _STEP + longest)
        for pattern, longest in patterns
        for at in range(0, len(text), _STEP)
    )
