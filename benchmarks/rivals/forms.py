"""The bodies that servers are asked with, and how their answers are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Array = np.ndarray[Any, Any]
_LENGTH = "inference-header-content-length"


@dataclass(frozen=True)
class Form:
    """One way to write a batch (n, 28, 28, 1) and to read its answers (n, 10).

    Attributes:
        write: Gives the body and its headers.
        read: Takes an answer's body and headers.
    """

    name: str
    write: Callable[[Array], tuple[bytes, dict[str, str]]]
    read: Callable[[bytes, Mapping[str, str]], Array]


def _dumps(document: Any) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def _write_instances(images: Array) -> tuple[bytes, dict[str, str]]:
    return _dumps({"instances": images}), {"content-type": "application/json"}


def _read_instances(body: bytes, headers: Mapping[str, str]) -> Array:
    del headers
    found = orjson.loads(body)
    return np.array(found["predictions"] if isinstance(found, dict) else found, np.float32)


def _write_v2(images: Array) -> tuple[bytes, dict[str, str]]:
    tensor = {"name": "image", "shape": images.shape, "datatype": "FP32", "data": images.ravel()}
    return _dumps({"inputs": [tensor]}), {"content-type": "application/json"}


def _read_v2(body: bytes, headers: Mapping[str, str]) -> Array:
    del headers
    (output,) = orjson.loads(body)["outputs"]
    return np.array(output["data"], np.float32).reshape(output["shape"])


def _write_binary(images: Array) -> tuple[bytes, dict[str, str]]:
    tensor = {
        "name": "image", "shape": images.shape, "datatype": "FP32", "parameters": {"binary_data_size": images.nbytes}
    }  # fmt: skip
    head = _dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}})
    return head + images.tobytes(), {"content-type": "application/octet-stream", _LENGTH: str(len(head))}


def _read_binary(body: bytes, headers: Mapping[str, str]) -> Array:
    length = int(headers[_LENGTH])
    (output,) = orjson.loads(body[:length])["outputs"]
    return np.frombuffer(body[length:], np.float32).reshape(output["shape"])


JSON = Form("JSON", _write_instances, _read_instances)
V2_JSON = Form("v2 JSON", _write_v2, _read_v2)
V2_BINARY = Form("v2 binary", _write_binary, _read_binary)
