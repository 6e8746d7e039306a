"""The client that is packed, as a stranger runs it, against the server that is packed with it."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml

from workbench.package import client
from workbench.package.bundle import package
from workbench.package.verify import verify
from workbench.serve.security import new_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.core.artifact import Artifact

SECONDS = 60


@pytest.fixture(scope="module")
def home(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive as `tar` unpacks it."""
    folder = tmp_path_factory.mktemp("unpacked")
    subprocess.run(["tar", "xzf", archive, "-C", folder], check=True)
    return folder / "tiny-1"


@contextlib.contextmanager
def served(home: Path, name: str, *flags: str) -> Iterator[str]:
    """The server of `Dockerfile.sandbox` with the flags that stand there, on a port of this machine alone."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        rest, grpc = one.getsockname()[1], two.getsockname()[1]
    image = (home / "Dockerfile.sandbox").read_text()
    written = json.loads(re.search(r"^CMD (\[.*\])$", image, re.MULTILINE)[1])  # type: ignore[index]
    asked = [
        *written, "--host=127.0.0.1", f"--port={grpc}", f"--rest_api_port={rest}",
        f"--model_base_path={home}/models/{name}", "--workers=1", *flags,
    ]  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "workbench.serve.model_server", *asked], stderr=subprocess.PIPE)
    try:
        _await(f"http://127.0.0.1:{rest}/v2/health/ready", process)
        yield f"http://127.0.0.1:{rest}"
    finally:
        process.terminate()
        process.communicate(timeout=SECONDS)


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        assert process.poll() is None, process.communicate()[1].decode()
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def key() -> Any:
    return new_key()


@pytest.fixture(scope="module")
def url(home: Path, key: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    keys = tmp_path_factory.mktemp("keys") / "api_keys.json"
    keys.write_text(json.dumps({key.sha256: "predict"}))
    with served(home, "tiny", f"--api_keys_file={keys}") as address:
        yield address


def run(home: Path, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "client.py", *map(str, arguments)], cwd=home, env={**os.environ, **environment},
        capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip


def test_numpy_and_the_standard_library_are_enough() -> None:
    tree = ast.parse(Path(client.__file__).read_text())
    names = [node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in ast.walk(tree)
             if isinstance(node, (ast.Import, ast.ImportFrom))]  # fmt: skip
    assert {str(name).split(".")[0] for name in names} - sys.stdlib_module_names == {"numpy"}


def test_it_asks_for_the_right_shape_by_itself(home: Path, url: str, key: Any) -> None:
    done = run(home, url, WORKBENCH_API_KEY=key.key)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"sample 0: \[[\d. ]+\], most at [0-3]\n", done.stdout)


def test_it_asks_for_what_a_file_holds(home: Path, url: str, key: Any, tmp_path: Path) -> None:
    images = np.arange(8, dtype=np.float32).reshape(2, 2, 2, 1)
    np.save(tmp_path / "images.npy", images)
    done = run(home, url, "--input", tmp_path / "images.npy", WORKBENCH_API_KEY=key.key)
    assert done.stdout.count("most at 3") == 2, done.stderr
    found = client.ModelClient(url, "tiny", key.key).predict(images)
    exponents = np.exp(images.reshape(2, 4))
    assert np.allclose(found, exponents / exponents.sum(axis=1, keepdims=True), atol=1e-6)


def test_a_server_that_refuses_is_quoted(home: Path, url: str) -> None:
    done = run(home, url, WORKBENCH_API_KEY="wrong")
    assert (done.returncode, done.stdout) == (1, "")
    assert "/metadata answered 401" in done.stderr
    done = run(home, "http://127.0.0.1:1")
    assert done.returncode == 1
    assert "Connection refused" in done.stderr
    assert "url must begin with http" in run(home, "file:///etc/passwd").stderr


def test_the_health_checks_of_compose_tell_a_server_that_answers(home: Path, url: str) -> None:
    services = yaml.safe_load((home / "compose.yaml").read_text())["services"]
    _, program, *arguments = services["sandbox"]["healthcheck"]["test"]
    assert program == "python"
    command = [each.replace("8501", url.rpartition(":")[2]) for each in arguments]
    assert subprocess.run([sys.executable, *command], check=False).returncode == 0
    dead = [each.replace("8501", "1") for each in arguments]
    assert subprocess.run([sys.executable, *dead], check=False, capture_output=True).returncode != 0


def test_the_health_check_of_the_originals_image_asks_as_the_original_is_asked(
    saved: Artifact, home: Path, tmp_path: Path
) -> None:
    made = package(saved, tmp_path, name="tiny")
    subprocess.run(["tar", "xzf", made, "-C", tmp_path], check=True)
    check = yaml.safe_load((tmp_path / "tiny-1" / "compose.yaml").read_text())["services"]["tensorflow-serving"]
    _, *command = check["healthcheck"]["test"]
    with served(home, "tiny", "--api_keys_file=") as url:  # the original asks for no key, and this model stands for one
        asked = [each.replace("8501", url.rpartition(":")[2]) for each in command]
        assert subprocess.run(asked, check=False, timeout=SECONDS).returncode == 0
    assert subprocess.run(asked, check=False, timeout=SECONDS, capture_output=True).returncode != 0


@pytest.mark.thorough
def test_a_saved_model_answers_from_its_package(converted: dict[str, Artifact], tmp_path: Path) -> None:
    made = package(converted["saved_model/float32"], tmp_path, name="digits")
    assert verify(made).passed
    subprocess.run(["tar", "xzf", made, "-C", tmp_path], check=True)
    home = tmp_path / "digits-1"
    with served(home, "digits", "--api_keys_file=") as url:
        done = run(home, url)
    assert done.returncode == 0, done.stderr
    assert "most at" in done.stdout
