"""A request's JSON, parsed so that long lists of numbers never become lists of Python objects."""

from __future__ import annotations

import json
import math
import threading
from typing import Any, Literal

import numpy as np
import orjson
import simdjson

from workbench.serve.oip.datatypes import DATATYPES
from workbench.serve.status import invalid

# How simdjson reads numbers, by the first letter of a datatype.
_KINDS: dict[str, tuple[Literal["i", "u", "d"], type[np.generic]]] = {
    "I": ("i", np.int64),
    "U": ("u", np.uint64),
    "F": ("d", np.float64),
}
_SHORT = 512  # bytes that are no trouble as Python objects
_USUAL = 1 << 20
_thread = threading.local()


def parse_infer(body: bytes) -> dict[str, Any]:
    """Parse the JSON of an inference request.

    Args:
        body: All of it.

    Returns:
        The object. An input's `data` is an array of float64, int64 or uint64 in place of a list where all its values
        are numbers that its datatype can hold.

    Raises:
        RequestError: INVALID_ARGUMENT, it is no JSON object. `NaN`, `Infinity` and `-Infinity` are numbers here, as in
            Triton.
    """
    if len(body) <= _SHORT:  # the head of binary tensors
        return _parse_short(body)
    try:
        document = (_parser() if len(body) <= _USUAL else simdjson.Parser()).parse(body)
        if isinstance(document, simdjson.Object):
            return {key: _inputs(document[key]) if key == "inputs" else _plain(document[key]) for key in document}
    except (ValueError, RuntimeError):  # NaN, another nesting than it takes, or no JSON at all
        _thread.parser = None
        return parse_object(body)
    raise invalid("the request must be a JSON object")


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse a JSON object, whatever it holds.

    Raises:
        RequestError: INVALID_ARGUMENT, it is none.
    """
    try:
        document = json.loads(body.decode("utf-8-sig"), parse_float=_finite)
    except json.JSONDecodeError as error:
        raise invalid(f"failed to parse the request JSON buffer: {error.msg} at {error.pos}") from None
    except RecursionError:
        raise invalid("failed to parse the request JSON buffer: it is nested too deeply") from None
    except UnicodeDecodeError as error:
        raise invalid(f"failed to parse the request JSON buffer: no UTF-8 at {error.start}") from None
    except ValueError:  # beyond float64, or an integer of thousands of digits
        raise invalid("failed to parse the request JSON buffer: Number too big to be stored in double") from None
    if not isinstance(document, dict):
        raise invalid("the request must be a JSON object")
    return document


def _parse_short(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return parse_object(body)
    if not isinstance(document, dict):
        raise invalid("the request must be a JSON object")
    return document


def _parser() -> simdjson.Parser:
    # One a thread: it keeps its buffers, which are as large as the largest body that it ever parsed.
    parser = getattr(_thread, "parser", None)
    if parser is None:
        parser = _thread.parser = simdjson.Parser()
    return parser


def _inputs(value: Any) -> Any:
    if not isinstance(value, simdjson.Array):
        return _plain(value)
    return [_input(one) if isinstance(one, simdjson.Object) else _plain(one) for one in value]


def _input(one: simdjson.Object) -> dict[str, Any]:
    found = {key: _plain(one[key]) for key in one if key != "data"}
    if (data := one.get("data")) is not None:
        found["data"] = _numbers(data, found.get("datatype"))
    return found


def _numbers(data: Any, datatype: Any) -> Any:
    kind = _KINDS.get(datatype[0]) if isinstance(datatype, str) and datatype in DATATYPES else None
    if kind is not None and isinstance(data, simdjson.Array):
        try:
            return np.frombuffer(data.as_buffer(of_type=kind[0]), dtype=kind[1])
        except (TypeError, ValueError):  # something that is no such number; the complete way says what
            pass
    return _plain(data)


def _plain(value: Any) -> Any:
    if isinstance(value, simdjson.Array):
        return value.as_list()
    return value.as_dict() if isinstance(value, simdjson.Object) else value


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(text)
    return value
