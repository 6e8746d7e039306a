"""Versions that arrive broken, in parts or one after another, before the command with two workers under load."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pytest

from tests.serve.command import Server
from tests.serve.unceasing import Unceasing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.faults

CLIENTS = 8
SWAPS = 20
WARM = 6  # versions after which memory is as it stays
MIB = 1 << 20


def model(factor: float, *, name: str = "x", padding: int = 0) -> bytes:
    """An ONNX model that multiplies by a number; `padding` makes its file larger, in bytes."""
    from onnx import TensorProto, helper, numpy_helper

    x = helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])
    numbers = [numpy_helper.from_array(np.array([factor], np.float32), "factor")]
    numbers.append(numpy_helper.from_array(np.zeros(padding, np.uint8), "padding"))
    graph = helper.make_graph([helper.make_node("Mul", [name, "factor"], ["y"])], "times", [x], [y], numbers)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    content: bytes = made.SerializeToString()
    return content


def publish(base: Path, version: int, content: bytes) -> None:
    """A version that appears whole."""
    folder = base / f".{version}"
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(content)
    folder.rename(base / str(version))


class Load(Unceasing):
    """Clients that ask without pause."""

    def __init__(self, server: Server) -> None:
        super().__init__([self._ask] * CLIENTS)
        self.factors: set[float] = set()
        self.failures: list[Any] = []
        self.answers = 0
        self._server = server

    def _ask(self) -> None:
        while not self.over.is_set():
            try:
                code, reply = self._server.ask("/v1/models/m:predict", {"instances": [[1, 1]]})
            except OSError as error:
                code, reply = 0, str(error)
            if code != 200:
                self.failures.append((code, reply))
                continue
            one, two = reply["predictions"][0]
            assert one == two
            self.factors.add(one)
            self.answers += 1


@pytest.fixture
def base(tmp_path: Path) -> Path:
    publish(tmp_path / "m", 1, model(1))
    return tmp_path / "m"


@pytest.fixture
def server(tmp_path: Path, base: Path) -> Iterator[Server]:
    found = Server(tmp_path, "--model_name=m", f"--model_base_path={base}", workers=2)
    found.until(lambda: found.ask("/healthz")[0] == 200)
    yield found
    found.process.kill()
    found.process.wait()


def available(server: Server) -> str:
    return max((version for version, state in server.states("m").items() if state == "AVAILABLE"), key=int)


def memory(server: Server) -> list[int]:
    """Resident bytes of each worker."""
    workers = [
        each for each in psutil.Process(server.process.pid).children() if "workbench.serve.worker" in each.cmdline()
    ]
    assert len(workers) == 2
    return [each.memory_info().rss for each in workers]


def test_twenty_versions_and_no_request_lost(server: Server, base: Path) -> None:
    before: list[int] = []
    with Load(server) as load:
        for version in range(2, SWAPS + 2):
            if version == WARM:
                before = memory(server)
            publish(base, version, model(version, padding=4 * MIB))
            server.until(lambda version=version: available(server) == str(version))  # type: ignore[misc]
    assert load.failures == []
    assert [after - one for after, one in zip(memory(server), before, strict=True) if after - one > 16 * MIB] == []
    assert load.factors <= {float(version) for version in range(1, SWAPS + 2)}
    assert SWAPS + 1 in load.factors


def test_what_cannot_be_loaded_says_why_and_harms_nothing(server: Server, base: Path) -> None:
    whole = model(5)
    kinds: dict[int, dict[str, bytes]] = {
        2: {"model.onnx": whole[: len(whole) // 2]},
        3: {},
        4: {"model.onnx": b""},
        5: {"model.onnx": os.urandom(4096)},
        6: {"readme.txt": b"no model"},
        7: {"saved_model.pb": b"\x08\x01no graph"},
        8: {"model.tflite": b"\0\0\0\0TFL3" + os.urandom(64)},
    }
    with Load(server) as load:
        for version, files in kinds.items():
            (base / str(version)).mkdir()
            for name, content in files.items():
                (base / str(version) / name).write_bytes(content)
            server.until(lambda version=version: server.states("m").get(str(version)) == "END")  # type: ignore[misc]
            _, reply = server.ask(f"/v1/models/m/versions/{version}")
            status = reply["model_version_status"][0]["status"]
            assert status["error_code"] != "OK"
            assert status["error_message"]
            assert str(base) not in status["error_message"]
            assert available(server) == "1"
        assert load.factors == {1.0}
        publish(base, 9, whole)
        server.until(lambda: available(server) == "9")
        server.until(lambda: 5.0 in load.factors)
    assert load.failures == []


def test_a_copy_over_five_seconds_is_served_when_it_is_whole(server: Server, base: Path) -> None:
    content = model(7, padding=1 << 20)
    parts = [
        content[start : start + len(content) // 10 + 1] for start in range(0, len(content), len(content) // 10 + 1)
    ]
    with Load(server) as load:
        (base / "2").mkdir()
        with (base / "2" / "model.onnx").open("wb") as file:
            for part in parts:
                file.write(part)
                file.flush()
                time.sleep(0.5)
        assert load.factors == {1.0}
        server.until(lambda: available(server) == "2")
        server.until(lambda: 7.0 in load.factors)
    assert load.failures == []
