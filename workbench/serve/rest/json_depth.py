"""How deep a JSON body nests, without parsing it."""

from __future__ import annotations

import re

import numpy as np

from workbench.serve.status import invalid

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_OTHER = bytes(code for code in range(256) if code not in b"[]{}")
_OPENS = 2  # the bit that is set in "[" and "{" and not in "]" and "}"


def check_depth(body: bytes, most: int) -> None:
    """Refuse a body whose arrays and objects nest deeper than `most`.

    Raises:
        RequestError: INVALID_ARGUMENT, as the parser would say.
    """
    if body.count(b"[") + body.count(b"{") <= most:
        return
    marks = _STRING.sub(b"", body).translate(None, _OTHER)
    if not marks:
        return
    steps = (np.frombuffer(marks, np.uint8) & _OPENS).astype(np.int8) - 1
    if int(np.cumsum(steps, dtype=np.int32).max()) > most:
        raise invalid("JSON Parse error: Arrays and objects are nested too deeply.")
