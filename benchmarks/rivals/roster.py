"""Whom the serving sandbox is measured against, each installed in an environment of its own."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from rivals.forms import JSON, V2_BINARY, V2_JSON, Form

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = "WORKBENCH_RIVALS"
_HERE = Path(__file__).parent
_V2 = "/v2/models/docs_cnn/infer"
_COMMON = ("onnxruntime", "numpy", "uvloop", "httptools")


@dataclass(frozen=True)
class Rival:
    """One server.

    Attributes:
        name: As the table has it.
        package: What is installed and whose version is told; rivals of the same package share an environment.
        program: File beside this one, called with the model's path and a port.
        ways: Path that is asked in each form it takes.
        least: At least so many times its requests a second should be ours, by batch, at 16 connections.
        also: What else is installed.
    """

    name: str
    package: str
    program: str
    ways: Mapping[Form, str]
    least: Mapping[int, float]
    also: tuple[str, ...] = ()


ROSTER = (
    Rival("FastAPI, tutorial", "fastapi", "fastapi_tutorial.py", {JSON: "/predict"}, {1: 8}, ("uvicorn", "orjson")),
    Rival("FastAPI, tuned", "fastapi", "fastapi_tuned.py", {JSON: "/predict"}, {1: 4, 64: 4}, ("uvicorn", "orjson")),
    Rival("MLServer", "mlserver", "mlserver_server.py", {V2_JSON: _V2}, {1: 4}),
    Rival("KServe SDK", "kserve", "kserve_server.py", {V2_JSON: _V2, V2_BINARY: _V2}, {1: 6}),
    Rival("BentoML", "bentoml", "bentoml_server.py", {JSON: "/predict"}, {1: 15}),
    Rival("LitServe", "litserve", "litserve_server.py", {JSON: "/predict"}, {1: 15}),
    Rival("Triton, Python back end", "nvidia-pytriton", "triton_server.py", {V2_JSON: _V2, V2_BINARY: _V2}, {1: 1}),
)
OURS = {JSON: "/v1/models/docs_cnn:predict", V2_JSON: _V2, V2_BINARY: _V2}


def install(rival: Rival, folder: Path) -> tuple[Path, str]:
    """Make a rival's environment, where it is not there already.

    Returns:
        Its Python, and the version of its package.

    Raises:
        RuntimeError: It cannot be installed; one sentence.
    """
    uv, place = str(Path(sys.executable).with_name("uv")), folder / rival.package
    python = place / "bin" / "python"
    if not python.exists():
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(place)], rival)
    _run([uv, "pip", "install", "--quiet", "--python", str(python), rival.package, *rival.also, *_COMMON], rival)
    asked = f"import importlib.metadata as m; print(m.version({rival.package!r}))"
    return python, _run([str(python), "-c", asked], rival).strip()


def _run(command: list[str], rival: Rival) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2]
        raise RuntimeError(f"{rival.name} cannot be installed here: {last}")
    return done.stdout


def start(rival: Rival, python: Path, model: Path, log: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start a rival on a free port, and return its process and the port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with log.open("wb") as out:
        child = subprocess.Popen(
            [str(python), str(_HERE / rival.program), str(model), str(port)],
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "ORT_DISABLE_TELEMETRY": "1"},
        )  # fmt: skip
    return child, port


def tree(pid: int) -> list[psutil.Process]:
    """Return a process and all that came of it."""
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    return []


def ended(pid: int) -> bool:
    """Tell whether a process is over."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process tree has taken so far."""
    total = 0.0
    for process in tree(pid):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            total += sum(process.cpu_times()[:2])
    return total


def stop(child: subprocess.Popen[bytes]) -> None:
    """End a rival and all that it started, also what has a session of its own."""
    processes = tree(child.pid)
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=3)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    child.wait()
