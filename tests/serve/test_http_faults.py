"""What hostile and hasty clients do to a real server: it answers the others, and stays as it was."""

from __future__ import annotations

import concurrent.futures
import contextlib
import http.client
import json
import random
import socket
import struct
import threading
import time
import urllib.request
import weakref
import zlib
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import grpc
import numpy as np
import psutil
import pytest

from tests.serve.grpc.door import predict_request
from workbench.core.artifact import Artifact
from workbench.serve.batching import Batching
from workbench.serve.limits import Limits
from workbench.serve.sandbox import Sandbox, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workbench.core.workspace import Workspace

pytestmark = pytest.mark.faults

MIB = 1 << 20
PREDICT = "/v1/models/tiny:predict"
INFER = "/v2/models/tiny/infer"
ROWS = b'{"instances": [[[[0.5], [1]], [[2e-1], [-3]]]]}'
TENSOR = (
    b'{"id": "a", "inputs": [{"name": "image", "shape": [1, 2, 2, 1], "datatype": "FP32", "data": [0.5, 1, 2, 3]}]}'
)
BODY_BYTES = 8 * MIB


@pytest.fixture(scope="module")
def sandbox(tiny_onnx: Artifact, serve_workspace: Workspace) -> Iterator[Sandbox]:
    limits = Limits(body_bytes=BODY_BYTES, header_seconds=2, idle_seconds=20)
    with serve(tiny_onnx, "tiny", workspace=serve_workspace, workers=1, limits=limits) as sandbox:
        yield sandbox


def address(sandbox: Sandbox) -> tuple[str, int]:
    where = urlsplit(sandbox.url)
    assert where.hostname is not None
    assert where.port is not None
    return where.hostname, where.port


def worker_of(sandbox: Sandbox) -> psutil.Process:
    (worker,) = psutil.Process(sandbox.pid).children()
    return worker


def peak(process: psutil.Process) -> int:
    """Most memory that a process ever had, bytes."""
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:  # noqa: PTH123 - no file of ours
        line = next(line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


class Asking:
    """A connection that stays open."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._connection = http.client.HTTPConnection(*address(sandbox), timeout=30)
        weakref.finalize(self, self._connection.close)

    def __call__(self, path: str, body: bytes, **headers: str) -> tuple[int, bytes]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request("POST", path, body, named)
        response = self._connection.getresponse()
        return response.status, response.read()


def works(sandbox: Sandbox) -> None:
    assert sandbox.client.predict(np.zeros((2, 2, 2, 1), np.float32)).tolist() == [[0.25] * 4] * 2


# Malformed bodies.


SCRAPS = [b"null", b"NaN", b'"', b"[", b"{", b"]", b"}", b"1e999", b"-", b"\x00", b"[]", b"{}", b"9" * 400, b"\xff"]
PARTS = [b"0.5", b"[", b"1", b"2", b":", b'"']


def mutated(body: bytes, chance: random.Random) -> bytes:
    """Damage a body in one of many ways."""
    place, other = sorted(chance.sample(range(len(body) + 1), 2))
    begin, middle, end = body[:place], body[place:other], body[other:]
    ways: list[Callable[[], bytes]] = [
        lambda: begin,
        lambda: begin + end,
        lambda: begin + chance.randbytes(chance.randint(1, 8)) + end,
        lambda: begin + middle * chance.randint(2, 50) + end,
        lambda: begin + chance.choice(SCRAPS) + end,
        lambda: chance.randbytes(chance.randint(0, 300)),
        lambda: body.replace(chance.choice(PARTS), chance.choice(SCRAPS)),
    ]
    return chance.choice(ways)()


@pytest.mark.parametrize("count", [500, pytest.param(2000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("path", "body"), [(PREDICT, ROWS), (INFER, TENSOR)], ids=["v1", "v2"])
def test_damaged_bodies_are_400(sandbox: Sandbox, path: str, body: bytes, count: int) -> None:
    ask, chance, worker = Asking(sandbox), random.Random(1), worker_of(sandbox)
    statuses: Counter[int] = Counter()
    before = 0
    for index in range(count):
        status, reply = ask(path, mutated(body, chance))
        statuses[status] += 1
        if status != 200:
            assert list(json.loads(reply)) == ["error"]
        if index == count // 5:
            before = worker.memory_info().rss
    assert set(statuses) <= {200, 400}, statuses
    assert statuses[400] > 0.9 * count
    assert worker.memory_info().rss - before <= 8 * MIB
    works(sandbox)


@pytest.mark.parametrize("count", [500, pytest.param(2000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "method", ["tensorflow.serving.PredictionService/Predict", "inference.GRPCInferenceService/ModelInfer"]
)
def test_damaged_messages_are_invalid_arguments(sandbox: Sandbox, method: str, count: int) -> None:
    shape = b"\x12\x10" + b"".join(b"\x12\x02\x08" + bytes([size]) for size in (1, 2, 2, 1))
    good = b"\x0a\x06\x0a\x04tiny\x12\x1d\x0a\x05image\x12\x14\x08\x01" + shape
    chance, worker = random.Random(2), worker_of(sandbox)
    codes: Counter[str] = Counter()
    before = 0
    with grpc.insecure_channel(sandbox.grpc) as channel:
        ask = channel.unary_unary(f"/{method}")
        for index in range(count):
            call = ask.future(mutated(good, chance), timeout=30)
            codes[call.code().name] += 1
            assert "Traceback" not in (call.details() or "")
            if index == count // 5:
                before = worker.memory_info().rss
    assert set(codes) <= {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION"}, codes
    assert worker.memory_info().rss - before <= 8 * MIB
    works(sandbox)


@pytest.mark.parametrize("count", [400, pytest.param(5000, marks=pytest.mark.slow)])
def test_damaged_http_is_refused(sandbox: Sandbox, count: int) -> None:
    lines = ["Host: x", f"Content-Length: {len(ROWS)}", "Expect: 100-continue", "Connection: keep-alive", "X: y"]
    good = "\r\n".join([f"POST {PREDICT} HTTP/1.1", *lines, "", ""])
    chance, worker = random.Random(3), worker_of(sandbox)
    statuses: Counter[bytes] = Counter()
    before = 0
    for index in range(count):
        with socket.create_connection(address(sandbox), timeout=10) as connection:
            damaged = mutated(good.encode() + ROWS, chance) * chance.choice([1, 1, 1, 3])
            with contextlib.suppress(OSError):  # it has seen enough
                connection.sendall(damaged)
                connection.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionResetError):
                received = b"".join(iter(partial(connection.recv, 65536), b""))
        statuses.update(part[:3] for part in received.split(b"HTTP/1.1 ")[1:])
        if index == count // 5:
            before = worker.memory_info().rss
    assert set(statuses) <= {b"100", b"200", b"400", b"404", b"405", b"408", b"413"}, statuses
    assert statuses[b"400"] > 0.1 * count
    assert worker.memory_info().rss - before <= 8 * MIB
    works(sandbox)


# Too much.


@pytest.mark.parametrize("path", [PREDICT, INFER])
def test_a_million_levels(sandbox: Sandbox, path: str) -> None:
    ask = Asking(sandbox)
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        for body in (opening * 1_000_000, opening * 1_000_000 + b"1" + closing * 1_000_000):
            status, reply = ask(path, b'{"inputs":' + body + b"}")
            assert status == 400
            assert len(reply) < 1000
    works(sandbox)


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    block = bytes(MIB)
    return b"".join([*(packer.compress(block) for _ in range(size // MIB)), packer.flush()])


@pytest.mark.parametrize("path", [PREDICT, INFER])
@pytest.mark.parametrize("size", [256 * MIB, pytest.param(10240 * MIB, marks=pytest.mark.slow)], ids=["256M", "10G"])
def test_bombs_and_floods_take_no_memory(sandbox: Sandbox, size: int, path: str) -> None:
    worker = worker_of(sandbox)
    Asking(sandbox)(path, b" " * (BODY_BYTES // 2))
    before = peak(worker)
    packed = bomb(size)
    if len(packed) <= BODY_BYTES:
        assert Asking(sandbox)(path, packed, Content_Encoding="gzip")[0] == 413
    assert flood(sandbox, path, b"Content-Length: 1099511627776", 0).startswith(b"HTTP/1.1 413 ")
    assert flood(sandbox, path, b"Transfer-Encoding: chunked", 4 * BODY_BYTES).startswith(b"HTTP/1.1 413 ")
    assert peak(worker) - before <= 2 * BODY_BYTES
    works(sandbox)


def flood(sandbox: Sandbox, path: str, length: bytes, size: int) -> bytes:
    """Begin a request, send chunks until the server has had enough, and return what it answered."""
    chunk = b"%x\r\n" % MIB + bytes(MIB) + b"\r\n"
    with socket.create_connection(address(sandbox), timeout=10) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\n".encode() + length + b"\r\n\r\n")
        with contextlib.suppress(OSError):
            for _ in range(size // MIB):
                connection.sendall(chunk)
        return connection.recv(4096)


# Too slow, too many.


def latencies(sandbox: Sandbox, count: int) -> list[float]:
    ask, taken = Asking(sandbox), []
    for _ in range(count):
        begin = time.perf_counter()
        assert ask(PREDICT, ROWS)[0] == 200
        taken.append(time.perf_counter() - begin)
    return sorted(taken)


def test_stalled_connections_slow_nobody_and_end(sandbox: Sandbox) -> None:
    latencies(sandbox, 200)
    base = latencies(sandbox, 1000)
    begin = time.monotonic()
    stalled = [socket.create_connection(address(sandbox), timeout=15) for _ in range(400)]
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\n".encode()
    for index, connection in enumerate(stalled):
        connection.sendall(head + (b"Content-Length: 100\r\n\r\n{" if index % 2 else b"X: "))
    beside = latencies(sandbox, 1000)
    for connection in stalled:
        received = b""
        with connection:
            while part := connection.recv(4096):
                received += part
        assert received.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - begin <= 15
    # A ratio, and a little that a busy machine costs anybody.
    assert beside[989] <= 3 * base[989] + 0.02
    works(sandbox)


def test_a_thousand_at_once_and_resets(sandbox: Sandbox) -> None:
    worker = worker_of(sandbox)
    works(sandbox)
    files = worker.num_fds()
    request = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(ROWS)}\r\n\r\n".encode() + ROWS
    with contextlib.ExitStack() as stack:
        everyone = [stack.enter_context(socket.create_connection(address(sandbox), timeout=30)) for _ in range(1000)]
        for connection in everyone:
            connection.sendall(request)
        statuses = Counter(connection.recv(4096)[9:12] for connection in everyone)
    assert statuses == {b"200": 1000}
    for _ in range(400):
        connection = socket.create_connection(address(sandbox), timeout=10)
        connection.sendall(request[:-5] if random.random() < 0.5 else request)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    works(sandbox)
    end = time.monotonic() + 10
    while worker.num_fds() > files + 5:
        assert time.monotonic() < end, "connections are left open"
        threading.Event().wait(0.05)


@pytest.fixture(scope="module")
def slow_onnx(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """A model of no weights that takes some milliseconds: `x` (n, 4) float32 -> `y` (n, 1)."""
    from onnx import TensorProto, helper

    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1])
    times = helper.make_tensor("times", TensorProto.INT64, [2], [1, 250_000])
    axis = helper.make_tensor("axis", TensorProto.INT64, [1], [1])
    nodes = [
        helper.make_node("Tile", ["x", "times"], ["wide"]),
        helper.make_node("Exp", ["wide"], ["exp"]),
        helper.make_node("ReduceMean", ["exp", "axis"], ["y"]),
    ]
    graph = helper.make_graph(nodes, "slow", [x], [y], [times, axis])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    folder = tmp_path_factory.mktemp("slow")
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    return Artifact.write(folder, file="model.onnx", name="slow", format="onnx", numeric="float32")


def press(sandbox: Sandbox, clients: int, seconds: float) -> tuple[Counter[int], list[float]]:
    """Let clients ask one request after another; return the statuses and what answers took, sorted."""
    end = time.monotonic() + seconds
    body = b'{"instances": [[0, 0, 0, 0]]}'

    def ask(_: int) -> list[tuple[int, float]]:
        one, seen = Asking(sandbox), []
        while time.monotonic() < end:
            begin = time.perf_counter()
            status, _reply = one("/v1/models/slow:predict", body)
            seen.append((status, time.perf_counter() - begin))
            if status != 200:
                threading.Event().wait(0.02)  # a client that is refused does not ask again at once
        return seen

    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        seen = [each for part in pool.map(ask, range(clients)) for each in part]
    return Counter(status for status, _ in seen), sorted(taken for status, taken in seen if status == 200)


@pytest.mark.parametrize("seconds", [2, pytest.param(30, marks=pytest.mark.slow)])
def test_overload_is_refused_and_passes(slow_onnx: Artifact, serve_workspace: Workspace, seconds: float) -> None:
    batching = Batching(mode="off", max_enqueued_batches=8, max_batch_size=1)
    with serve(slow_onnx, "slow", workspace=serve_workspace, workers=1, batching=batching) as sandbox:
        press(sandbox, 2, 0.5)
        peak_statuses, base = press(sandbox, 2, seconds)
        statuses, taken = press(sandbox, 24, seconds)
        _, after = press(sandbox, 2, 1)
    assert set(peak_statuses) == {200}
    assert set(statuses) <= {200, 429, 503}
    assert statuses[429] > 0
    assert statuses[200] > 0
    assert after
    if seconds < 30:
        return  # too short for figures where something else runs too
    assert statuses[200] >= 0.8 * peak_statuses[200]
    # Eight wait, one or two run: ten runs are the longest way to an answer; a busy machine doubles it.
    median = base[len(base) // 2]
    assert taken[int(0.99 * len(taken))] <= 20 * median + 0.2
    assert after[len(after) // 2] <= 2 * median


def test_time_is_up(slow_onnx: Artifact, serve_workspace: Workspace) -> None:
    body = json.dumps({"instances": [[0, 0, 0, 0]] * 64}).encode()
    limits = Limits(request_seconds=0.05)
    batching = Batching(mode="off", max_enqueued_batches=2)
    with serve(slow_onnx, "slow", workspace=serve_workspace, workers=1, limits=limits, batching=batching) as sandbox:
        for _ in range(10):  # each frees its place in the queue
            status, reply = Asking(sandbox)("/v1/models/slow:predict", body)
            assert (status, json.loads(reply)) == (504, {"error": "Deadline exceeded"})
        assert Asking(sandbox)("/v1/models/slow", b"")[0] == 400


def runs(sandbox: Sandbox) -> int:
    """How often the models of a server were run for requests."""
    with urllib.request.urlopen(f"{sandbox.url}/monitoring/prometheus/metrics", timeout=10) as page:
        lines = page.read().decode().splitlines()
    return sum(int(float(line.split()[-1])) for line in lines if "processed_batch_size_count" in line)


def test_what_is_overdue_over_grpc_is_told_in_time_and_never_run(
    slow_onnx: Artifact, serve_workspace: Workspace
) -> None:
    long_body = json.dumps({"instances": [[0, 0, 0, 0]] * 80}).encode()
    asked = predict_request("slow", x=np.zeros((1, 4), np.float32)).SerializeToString()
    batching = Batching(mode="off", max_enqueued_batches=4, num_batch_threads=1)
    with (
        serve(slow_onnx, "slow", workspace=serve_workspace, workers=1, batching=batching) as sandbox,
        grpc.insecure_channel(sandbox.grpc) as channel,
        concurrent.futures.ThreadPoolExecutor(1) as pool,
    ):
        call = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        busy = pool.submit(Asking(sandbox), "/v1/models/slow:predict", long_body)
        while call.future(asked, timeout=0.05).code().name == "OK":
            pass  # the long one is on its way still
        before = runs(sandbox)
        for _ in range(3):  # as many as may wait, each time anew: whoever is overdue has left its place
            late = [call.future(asked, timeout=0.05) for _ in range(4)]
            begin = time.monotonic()
            codes = {one.code().name for one in late}
            assert time.monotonic() - begin < 0.1 + 0.5  # twice the deadline, on a machine that does other things too
            assert codes == {"DEADLINE_EXCEEDED"}
        assert not busy.done(), "the long one must be under way all the time"
        assert busy.result(60)[0] == 200
        call(asked, timeout=20)
        assert runs(sandbox) - before == 2
