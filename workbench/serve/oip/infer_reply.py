"""The reply to an inference request: JSON, and bytes after it where they were asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from workbench.serve.oip.binary import texts, write_binary
from workbench.serve.oip.datatypes import BYTES, NO_JSON, array_datatype
from workbench.serve.status import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.serve.oip.infer_request import InferRequest
    from workbench.serve.servable import Servable

    Array = np.ndarray[Any, Any]

_ENCODER = json.JSONEncoder(default=lambda value: value.tolist(), separators=(",", ":"))


def write_infer(servable: Servable, request: InferRequest, outputs: Mapping[str, Array]) -> tuple[bytes, int | None]:
    """Write a reply.

    Args:
        servable: What answered.
        request: What was asked.
        outputs: All outputs by name.

    Returns:
        The body, and how many bytes of it are JSON where others follow.

    Raises:
        RequestError: INVALID_ARGUMENT, an output has no JSON form and was not asked for as bytes.
    """
    document: dict[str, Any] = {"model_name": servable.name, "model_version": str(servable.version)}
    if request.id:
        document["id"] = request.id
    document["outputs"] = described = []
    binary: list[bytes | memoryview] = []
    for name, value in outputs.items():
        if request.outputs is not None and name not in request.outputs:
            continue
        array = np.asarray(value)
        datatype = array_datatype(array)
        one: dict[str, Any] = {"name": name, "datatype": datatype, "shape": array.shape}
        if request.as_bytes(name):
            data = write_binary(array)
            one["parameters"] = {"binary_data_size": len(data)}
            binary.append(data)
        else:
            one["data"] = _json_values(name, array, datatype)
        described.append(one)
    head = _dumps(document)
    return (b"".join([head, *binary]), len(head)) if binary else (head, None)


def _json_values(name: str, array: Array, datatype: str) -> Any:
    if datatype in NO_JSON:
        raise invalid(
            f"sending {datatype} data via JSON is not supported. Please use the binary data format for {name}"
        )
    if datatype != BYTES:
        return np.ascontiguousarray(array).reshape(-1)
    try:
        return [text.decode() for text in texts(array)]
    except UnicodeDecodeError:
        raise invalid(f"output {name} is no UTF-8. Please use the binary data format for it") from None


def _dumps(document: dict[str, Any]) -> bytes:
    try:
        text = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    except TypeError:  # half a surrogate pair in an id
        pass
    else:
        if b"null" not in text:  # which is how orjson writes NaN and the infinities
            return text
    # Piece by piece: written at once, a million values would keep all other threads waiting.
    return "".join(_ENCODER.iterencode(document)).encode()
