"""The `curl` lines of TensorFlow Serving's documentation, run by curl, and what that says they answer."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.serve.command import Server
from tests.serve.drop_in import toys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
pytestmark = needs_curl

AVAILABLE = {"version": "123", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}


@dataclass(frozen=True)
class Curl:
    """curl, and where the documentation's localhost:8501 is."""

    port: int

    def __call__(self, line: str, *more: str, data: bytes | None = None) -> tuple[int, dict[str, str], Any]:
        """Run a line's arguments, in which the path stands alone; returns status, headers and document."""
        arguments = [
            f"http://localhost:{self.port}{one}" if one.startswith("/v1/") else one for one in (*line.split(), *more)
        ]
        done = subprocess.run(
            ["curl", "-s", "-S", "-i", "--max-time", "20", *arguments], input=data, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        while head.startswith(b"HTTP/1.1 100"):
            head, _, body = body.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = dict(one.lower().split(": ", 1) for one in lines)
        return int(status.split()[1]), headers, json.loads(body) if body else None


@pytest.fixture(scope="module")
def curl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Curl]:
    """Both models as ONNX files."""
    folder = tmp_path_factory.mktemp("documented")
    yield from _served(folder, toys.write_onnx(folder / "base"))


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Curl]:
    """Both models as SavedModels."""
    folder = tmp_path_factory.mktemp("documented")
    yield from _served(folder, toys.write_saved_models(folder / "base"))


def _served(folder: Path, base: Path) -> Iterator[Curl]:
    (folder / "models.config").write_text(toys.MODELS.format(base=base))
    server = Server(folder, f"--model_config_file={folder / 'models.config'}")
    server.until(lambda: all(server.states(name) == {"123": "AVAILABLE"} for name in toys.NAMES))
    yield Curl(server.port)
    server.process.kill()
    server.process.wait()


THREE = "/v1/models/half_plus_three"
ROWS = '{"instances": [1.0,2.0,5.0]}'
DOCUMENTED: list[tuple[str, tuple[str, ...], int, Any]] = [
    (THREE, (), 200, {"model_version_status": [AVAILABLE]}),
    (f"{THREE}/versions/123", (), 200, {"model_version_status": [AVAILABLE]}),
    (f"-X POST {THREE}:predict", ("-d", ROWS), 200, {"predictions": [3.5, 4.0, 5.5]}),
    (
        "-X POST /v1/models/half_plus_two:predict",
        ("-d", '{"instances": [1.0, 2.0, 5.0]}'),
        200,
        {"predictions": [2.5, 3.0, 4.5]},
    ),
    (f"-X POST {THREE}/versions/123:predict", ("-d", ROWS), 200, {"predictions": [3.5, 4.0, 5.5]}),
    (f"-X POST {THREE}:predict", ("-d", '{"inputs": [1.0,2.0,5.0]}'), 200, {"outputs": [3.5, 4.0, 5.5]}),
    (f"-X POST {THREE}:predict", ("-d", '{"inputs": {"x": [1.0]}}'), 200, {"outputs": [3.5]}),
    (
        "-X POST /v1/models/half:predict",
        ("-d", '{"instances": [1.0,5.0]}'),
        404,
        {"error": "Servable not found for request: Latest(half)"},
    ),
    (f"{THREE}:predict", (), 400, {"error": f"Malformed request: GET {THREE}:predict"}),
]


def ids(value: Any) -> str | None:
    return value.replace("/", ".") if isinstance(value, str) else None


@pytest.mark.parametrize(("line", "more", "status", "document"), DOCUMENTED, ids=ids)
def test_the_documentation_s_lines(curl: Curl, line: str, more: tuple[str, ...], status: int, document: Any) -> None:
    found, headers, answered = curl(line, *more)
    assert (found, answered) == (status, document)
    assert headers["content-type"] == "application/json"
    assert "date" in headers


HABITS = [
    "-H Content-Type:application/json",
    "-H Content-Type:text/plain",
    "-H Transfer-Encoding:chunked",
    "-H Expect:100-continue",
    "-H Connection:close",
    "-H Accept-Encoding:gzip",
    "--http1.0",
    "--http2",
    "--ipv4",
]


@pytest.mark.parametrize("habit", HABITS)
def test_whatever_curl_is_told(curl: Curl, habit: str) -> None:
    status, _, document = curl(f"{habit} -X POST {THREE}:predict", "-d", ROWS)
    assert (status, document) == (200, {"predictions": [3.5, 4.0, 5.5]})


def test_compressed(curl: Curl) -> None:
    line = f"-H Content-Encoding:gzip --data-binary @- {THREE}:predict"
    assert curl(line, data=gzip.compress(ROWS.encode()))[::2] == (200, {"predictions": [3.5, 4.0, 5.5]})


def test_a_body_that_curl_sends_with_an_expectation(curl: Curl) -> None:
    numbers = [float(number) for number in range(300_000)]
    body = json.dumps({"instances": numbers}).encode()
    status, _, document = curl(f"--data-binary @- {THREE}:predict", data=body)
    assert status == 200
    assert document == {"predictions": [number / 2 + 3 for number in numbers]}


def test_metadata(curl: Curl) -> None:
    def tensor(name: str) -> dict[str, Any]:
        shape = {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False}
        return {name: {"dtype": "DT_FLOAT", "tensor_shape": shape, "name": f"{name}:0"}}

    status, _, document = curl(f"{THREE}/metadata")
    assert status == 200
    assert document["model_spec"] == {"name": "half_plus_three", "signature_name": "", "version": "123"}
    (named,) = document["metadata"]["signature_def"]["signature_def"].items()
    only = {"inputs": tensor("x"), "outputs": tensor("y"), "method_name": "tensorflow/serving/predict", "defaults": {}}
    assert named == ("serving_default", only)


# What needs TensorFlow: the models as they are there.


OF_SAVED_MODELS: list[tuple[str, tuple[str, ...], Any]] = [
    # Its signature says [-1, 1]; the runtime takes [3].
    (f"-X POST {THREE}:predict", ("-d", ROWS), {"predictions": [3.5, 4.0, 5.5]}),
    (f"-X POST {THREE}:predict", ("-d", '{"instances": [[1.0],[2.0]]}'), {"predictions": [[3.5], [4.0]]}),
    ("-X POST /v1/models/half_plus_two:predict", ("-d", '{"inputs": [2.0,3.0,4.0]}'), {"outputs": [3.0, 3.5, 4.0]}),
    (
        f"-X POST {THREE}:regress",
        ("-d", '{"signature_name": "tensorflow/serving/regress", "examples": [{"x": 1.0}, {"x": 2.0}]}'),
        {"results": [3.5, 4.0]},
    ),
    (
        "-X POST /v1/models/half_plus_two:regress",
        ("-d", '{"signature_name": "regress_x_to_y", "examples": [{"x": 2.0}]}'),
        {"results": [3.0]},
    ),
    (
        "-X POST /v1/models/half_plus_two:classify",
        ("-d", '{"signature_name": "classify_x_to_y", "examples": [{"x": 2.0}]}'),
        {"results": [[["", 3.0]]]},
    ),
]


@pytest.mark.thorough
@pytest.mark.parametrize(("line", "more", "document"), OF_SAVED_MODELS)
def test_saved_models(saved: Curl, line: str, more: tuple[str, ...], document: Any) -> None:
    assert saved(line, *more)[::2] == (200, document)


@pytest.mark.thorough
def test_metadata_of_a_saved_model(saved: Curl) -> None:
    def tensor(called: str, name: str, dtype: str, *sizes: str) -> dict[str, Any]:
        shape = {"dim": [{"size": size, "name": ""} for size in sizes], "unknown_rank": False}
        return {called: {"dtype": dtype, "tensor_shape": shape, "name": f"{name}:0"}}

    found = saved("/v1/models/half_plus_two/metadata")[2]["metadata"]["signature_def"]["signature_def"]
    assert len(found) == 6
    assert found["classify_x_to_y"] == {
        "inputs": tensor("inputs", "tf_example", "DT_STRING", "-1"),
        "outputs": tensor("scores", "y", "DT_FLOAT", "-1", "1"),
        "method_name": "tensorflow/serving/classify",
        "defaults": {},
    }
    assert found["serving_default"] == {
        "inputs": tensor("x", "x", "DT_FLOAT", "-1", "1"),
        "outputs": tensor("y", "y", "DT_FLOAT", "-1", "1"),
        "method_name": "tensorflow/serving/predict",
        "defaults": {},
    }


@pytest.mark.thorough
@pytest.mark.parametrize("body", ['{"instances": [[[1.0]], [[1.0, 2.0]]]}', '{"instances": ["one"]}'])
def test_what_a_saved_model_cannot_take(saved: Curl, body: str) -> None:
    status, _, document = saved(f"-X POST {THREE}:predict", "-d", body)
    assert (status, list(document)) == (400, ["error"])
