"""Requests that were recorded run before a version answers; a file that is damaged keeps it from answering."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from workbench.core.errors import BadInputError
from workbench.serve.counters import Counters
from workbench.serve.grpc.messages import message
from workbench.serve.grpc.tensors import write_tensor
from workbench.serve.servable import Servable
from workbench.serve.signature import DEFAULT, Signature, Tensor
from workbench.serve.warm_up import FILE, recorded_requests

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SIGNATURES = {
    DEFAULT: Signature((Tensor("x", "float32", (-1, 2)),), (Tensor("y", "float32", (-1, 2)),)),
    "classify": Signature((Tensor("inputs", "string", (-1,)),), (Tensor("scores", "float32", (-1, 1)),), "classify"),
}


def crc32c(data: bytes) -> int:
    """As RFC 3720 has it, bit by bit from its polynomial."""
    crc = 0xFFFFFFFF
    for byte in data:
        for bit in range(8):
            carry = (crc ^ byte >> bit) & 1
            crc = crc >> 1 ^ (0x82F63B78 if carry else 0)
    return crc ^ 0xFFFFFFFF


def record(content: bytes) -> bytes:
    length = struct.pack("<Q", len(content))

    def masked(data: bytes) -> bytes:
        crc = crc32c(data)
        return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)

    return length + masked(length) + content + masked(content)


def field(number: int, content: bytes) -> bytes:
    size, parts = len(content), bytearray()
    while True:
        parts.append(size & 0x7F | (0x80 if size > 0x7F else 0))
        size >>= 7
        if not size:
            return bytes([number << 3 | 2, *parts]) + content


def predict_log(array: Any, signature: str = "") -> bytes:
    request = message("tensorflow.serving.PredictRequest")()
    request.model_spec.name, request.model_spec.signature_name = "any", signature
    write_tensor(array, request.inputs["x"], as_content=True)
    return field(6, field(1, request.SerializeToString()))


def classify_log(*examples: bytes) -> bytes:
    request = message("tensorflow.serving.ClassificationRequest")()
    request.model_spec.signature_name = "classify"
    request.input.example_list.examples.extend(examples)
    return field(2, field(1, request.SerializeToString()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / FILE).parent.mkdir()
    return tmp_path


def test_a_checksum_of_the_standard() -> None:
    assert crc32c(b"123456789") == 0xE3069283


def test_requests_are_read(folder: Path) -> None:
    x = np.array([[1, 2]], np.float32)
    logs = [predict_log(x), field(4, b""), classify_log(b"one", b"two")]
    (folder / FILE).write_bytes(b"".join(map(record, logs)))
    (first, feeds), (second, texts) = recorded_requests(folder, SIGNATURES)
    assert (first, feeds["x"].tolist()) == (DEFAULT, [[1, 2]])
    assert (second, texts["inputs"].tolist()) == ("classify", [b"one", b"two"])


def test_no_file_is_no_request(tmp_path: Path) -> None:
    assert recorded_requests(tmp_path, SIGNATURES) == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"no record at all", "must be a TFRecord"),
        (record(predict_log(np.zeros((1, 2), np.float32)))[:-9], "ends too early"),
        (record(predict_log(np.zeros((1, 2), np.float32), "none")), "record 0, must be a request"),
        (record(b"\x32\x7f"), "record 0, must be a request"),
        (record(b"\xff" * 20), "record 0, must be a request"),
        (record(field(6, field(1, b"\xff"))), "record 0, must be a request"),
        (record(field(6, b"")), "record 0, must be a request"),
        (record(b"") * 1001, "must hold at most 1000 records"),
    ],
)
def test_what_is_no_record_is_refused(folder: Path, content: bytes, why: str) -> None:
    (folder / FILE).write_bytes(content)
    with pytest.raises(BadInputError, match=why):
        recorded_requests(folder, SIGNATURES)


class Engine:
    """Notes what it is asked; fails at negative numbers."""

    platform = "test"

    def __init__(self, *warm_ups: Any) -> None:
        self.signatures = {DEFAULT: SIGNATURES[DEFAULT]}
        self.warm_ups = [(DEFAULT, {"x": np.array([row], np.float32)}) for row in warm_ups]
        self.asked: list[Any] = []

    def run(self, signature: str, feeds: Mapping[str, Any]) -> dict[str, Any]:
        assert signature == DEFAULT
        if (feeds["x"] < 0).any():
            raise ValueError
        self.asked.append(feeds["x"].tolist())
        return {"y": feeds["x"]}

    def close(self) -> None: ...


def test_what_was_recorded_runs_first_and_is_counted() -> None:
    engine, counters = Engine([1, 2], [3, 4]), Counters()
    servable = Servable("m", 1, lambda: engine, counters)
    servable.load()
    assert servable.state == "AVAILABLE"
    assert engine.asked[:2] == [[[1, 2]], [[3, 4]]]
    warm_up = counters.totals()["m"]["warm_up"]
    assert warm_up["counts"].sum() == 1
    assert warm_up["total"] > 0


@pytest.mark.parametrize(("row", "why"), [([-1, 0], "The model failed to run"), ([1, 2, 3], "must be of shape")])
def test_a_recorded_request_that_fails_keeps_the_version_from_answering(row: list[float], why: str) -> None:
    servable = Servable("m", 1, lambda: Engine(row))
    servable.load()
    assert servable.state == "END"
    assert servable.error is not None
    assert servable.error.startswith("A request that was recorded for the warm-up failed: ")
    assert why in servable.error
