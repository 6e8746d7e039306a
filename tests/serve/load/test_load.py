"""The verb and its command, against a real server."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pytest

from workbench.core.errors import BadInputError, ServingError
from workbench.core.records import LoadResult
from workbench.serve.load import LoadTarget, load
from workbench.serve.load.bodies import bodies_of, drawn
from workbench.serve.signature import Tensor

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.serve.sandbox import Sandbox

SHORT: dict[str, Any] = {"seconds": 0.2, "warmup_seconds": 0.05, "connections": 4}


@pytest.mark.parametrize(("path", "face"), [("", "rest"), ("/v2", "oip_binary"), ("/v2", "oip")])
def test_a_load_on_a_served_model(served: Sandbox, path: str, face: str) -> None:
    given = {"face": face} if face == "oip" else {}
    before = served.stats().requests
    result = load(f"{served.url}{path}", "tiny", **SHORT, **given)
    assert (result.face, result.loop, result.failed, result.batch) == (face, "closed", 0, 1)
    assert result.requests > 0
    assert 0 < result.p50_ms <= result.p90_ms <= result.p99_ms <= result.p999_ms <= result.max_ms
    assert served.stats().requests - before >= result.requests
    assert LoadResult.from_json(json.loads(json.dumps(result.to_json()))) == result


def test_an_open_loop_and_own_samples(served: Sandbox) -> None:
    images = np.random.default_rng(0).random((6, 2, 2, 1))
    result = load(served.url, "tiny", images, rate=200.0, batch=4, **SHORT)
    assert (result.loop, result.rate, result.failed, result.batch) == ("open", 200.0, 0, 4)
    assert result.requests > 10


def test_what_the_server_refuses_is_said_and_not_measured(served: Sandbox) -> None:
    with pytest.raises(ServingError, match="answered 400: Input image must be of shape"):
        load(served.url, "tiny", np.zeros((3, 5)))
    with pytest.raises(ServingError, match="answered 404"):
        load(served.url, "nobody")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://192.0.2.1:8501", "url must be this machine"),
        ("https://127.0.0.1:8501", "url must start with http:// for a load"),
        ("nonsense", "url must start with http:// for a load, got 'nonsense'; write http://HOST:PORT, or"),
        ("http://127.0.0.1:99999", r"url must be http://HOST:PORT .*, got 'http://127\.0\.0\.1:99999'"),
        ("http://[nonsense", r"url must be http://HOST:PORT .*, got 'http://\[nonsense'"),
        ("grpc://127.0.0.1:8500", "url must start with http:// for a load"),
        ("http://no.such.host.invalid", "url must name a host that is known"),
    ],
)
def test_who_may_be_asked(url: str, sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        load(url, "tiny")


def test_another_machine_may_be_asked_where_that_is_said() -> None:
    assert LoadTarget("http://192.0.2.1:8501", (), allow_remote=True).address()[1] == ("192.0.2.1", 8501)


def test_a_header_cannot_become_two() -> None:
    with pytest.raises(BadInputError, match="headers must be without line breaks"):
        LoadTarget("http://127.0.0.1", (b"",), {"authorization": "Bearer x\r\nhost: other"}).requests()


def test_settings_are_bounded() -> None:
    for wrong in ({"connections": 0}, {"seconds": 1e6}, {"rate": 0}, {"face": "grpc"}):
        with pytest.raises(BadInputError, match=next(iter(wrong))):
            load("http://127.0.0.1:1", "tiny", **wrong)


def test_bodies_are_the_samples_in_turn() -> None:
    samples = {"x": np.arange(10, dtype=np.float32).reshape(5, 2)}
    bodies, _ = bodies_of(samples, 2, "rest")
    assert [orjson.loads(body)["instances"] for body in bodies] == [[[0, 1], [2, 3]], [[4, 5], [6, 7]]]
    bodies, _ = bodies_of(samples, 8, "rest")
    assert [row[0] for row in orjson.loads(bodies[0])["instances"]] == [0, 2, 4, 6, 8, 0, 2, 4]
    two = {**samples, "n": np.arange(5)}
    bodies, _ = bodies_of(two, 5, "rest")
    assert orjson.loads(bodies[0])["inputs"]["n"] == [0, 1, 2, 3, 4]


def test_binary_bodies_have_one_header() -> None:
    names = np.array([b"a", b"b" * 1000, b"", b"c"], dtype=object)
    bodies, headers = bodies_of({"s": names}, 1, "oip_binary")
    length = int(headers["inference-header-content-length"])
    sizes = []
    for body, name in zip(bodies, names, strict=True):
        (tensor,) = orjson.loads(body[:length])["inputs"]
        sizes.append(tensor["parameters"]["binary_data_size"])
        assert body[length:] == len(name).to_bytes(4, "little") + name
    assert sizes == [5, 1004, 4, 5]


def test_samples_are_drawn_where_none_are_given() -> None:
    tensors = (Tensor("x", "float32", (-1, 3, -1)), Tensor("n", "int8", (-1,)), Tensor("s", "string", (-1, 2)))
    feeds, again = drawn(tensors, 4, 1), drawn(tensors, 4, 1)
    assert {name: (array.shape, array.dtype.name) for name, array in feeds.items()} == {
        "x": ((4, 3, 1), "float32"), "n": ((4,), "int8"), "s": ((4, 2), "object")
    }  # fmt: skip
    assert all((feeds[name] == again[name]).all() for name in feeds)


def test_samples_must_be_of_one_number() -> None:
    for wrong in ({"x": np.zeros((0, 2))}, {"x": np.zeros(2), "y": np.zeros(3)}, {"x": np.zeros(())}):
        with pytest.raises(BadInputError, match="samples must be at least one"):
            bodies_of(wrong, 1, "rest")


def test_the_command(served: Sandbox, tmp_path: Path) -> None:
    page = tmp_path / "load.html"
    command = [sys.executable, "-m", "workbench", "load", served.url, "-m", "tiny", "--seconds", "0.1"]
    done = subprocess.run([*command, "--report", str(page)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "p99.9 ms" in done.stdout
    assert "Closed loop" in done.stdout
    assert "plotly-graph-div" in page.read_text(encoding="utf-8")
    refused = subprocess.run(
        [*command[:4], "http://192.0.2.1", "--rate", "5"], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert refused.stderr.startswith("workbench: url must be this machine")
