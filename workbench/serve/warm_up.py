"""Requests that were recorded to warm a model up before it answers: `assets.extra/tf_serving_warmup_requests`.

The file is TensorFlow Serving's: a TFRecord of `PredictionLog` messages. Only the requests in them are used.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import BadInputError
from workbench.serve.signature import DEFAULT
from workbench.serve.status import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from workbench.serve.signature import Signature

    Feeds = dict[str, np.ndarray[Any, Any]]

FILE = "assets.extra/tf_serving_warmup_requests"

_MOST = 1000
_MAX_BYTES = 1 << 30
_POLYNOMIAL, _MASK = 0x82F63B78, 0xA282EAD8
# Fields of `PredictionLog`; each holds a message whose first field is the request.
_CLASSIFY, _REGRESS, _PREDICT = 2, 3, 6
_REQUESTS = {_CLASSIFY: "ClassificationRequest", _REGRESS: "RegressionRequest", _PREDICT: "PredictRequest"}


def recorded_requests(folder: Path, signatures: Mapping[str, Signature]) -> list[tuple[str, Feeds]]:
    """Return the requests that were recorded for a version: a signature's name and its feeds; none without a file.

    Args:
        folder: The version's folder.
        signatures: How the model can be called.

    Raises:
        BadInputError: The file is damaged, holds too many records, or asks a signature that there is not.
    """
    path = folder / FILE
    if not path.is_file():
        return []
    from google.protobuf.message import DecodeError

    found = []
    for index, record in enumerate(_records(path)):
        if index == _MOST:
            raise BadInputError.of(FILE, rule=f"must hold at most {_MOST} records", got="more")
        try:
            request = _request(record, signatures)
        except (ValueError, KeyError, IndexError, RequestError, DecodeError) as error:
            raise BadInputError.of(f"{FILE}, record {index},", rule="must be a request", got=str(error)) from error
        if request is not None:
            found.append(request)
    return found


def _records(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while head := stream.read(12):
            length = struct.unpack("<Q", head[:8])[0] if len(head) == 12 else 0  # noqa: PLR2004 - length and checksum
            if struct.pack("<I", _masked_crc(head[:8])) != head[8:] or length > _MAX_BYTES:
                raise BadInputError.of(FILE, rule="must be a TFRecord", got="another file, or a damaged one")
            record = stream.read(length)
            if len(record) < length or len(stream.read(4)) < 4:  # noqa: PLR2004 - its checksum
                raise BadInputError.of(FILE, rule="must be a whole TFRecord", got="one that ends too early")
            yield record


def _masked_crc(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (_POLYNOMIAL if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + _MASK) & 0xFFFFFFFF


def _request(record: bytes, signatures: Mapping[str, Signature]) -> tuple[str, Feeds] | None:
    from workbench.evaluate.graphs.protobuf import Message
    from workbench.serve.grpc.messages import message
    from workbench.serve.grpc.tensors import read_tensors

    log = Message(record)
    number = next((each for each in _REQUESTS if log.has(each)), None)
    if number is None:
        return None  # a log of what is not asked of this server
    request = message(f"tensorflow.serving.{_REQUESTS[number]}").FromString(log.message(number).content(1))
    name = request.model_spec.signature_name or DEFAULT
    signature = signatures[name]
    if number == _PREDICT:
        feeds = read_tensors(request.inputs, _MAX_BYTES)
        return name, {tensor.name: feeds[tensor.name] for tensor in signature.inputs}
    examples = list(request.input.example_list.examples)
    array = np.empty(len(examples), dtype=object)
    array[:] = examples
    return name, {signature.inputs[0].name: array}
