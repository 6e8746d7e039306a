"""The drop-in command as a process of its own, and version folders as others leave them."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.core.artifact import Artifact

SECONDS = 40  # the longest that anything may take on a busy machine


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port


class Server:
    """The command, running."""

    def __init__(self, folder: Path, *arguments: str, workers: int = 1) -> None:
        self.port = free_port()
        command = [
            sys.executable,
            "-m",
            "workbench.serve.model_server",
            f"--rest_api_port={self.port}",
            f"--workers={workers}",
        ]
        self.log = folder / "stderr.log"
        with self.log.open("w") as log:
            command += [f"--port={free_port()}", *arguments]
            # What it keeps while it runs is left behind where it is killed.
            self.process = subprocess.Popen(command, stderr=log, env={**os.environ, "TMPDIR": str(folder)})

    def ask(self, path: str, body: Any = None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", data, timeout=10) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def states(self, name: str) -> dict[str, str]:
        _, reply = self.ask(f"/v1/models/{name}")
        return {one["version"]: one["state"] for one in reply.get("model_version_status", [])}

    def until(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log.read_text()
            with contextlib.suppress(OSError):
                if holds():
                    return
            time.sleep(0.05)
        raise AssertionError(self.log.read_text())


def put(folder: Path, version: int, artifact: Artifact) -> None:
    """Leave a version in a model's folder, without any manifest."""
    (folder / str(version)).mkdir(parents=True)
    (folder / str(version) / "model.onnx").write_bytes(artifact.path.read_bytes())
