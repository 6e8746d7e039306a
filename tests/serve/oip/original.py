"""The original, Triton on a CPU with its Python back end, as PyPI has it; over the models that ours serves too."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sysconfig
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.serve.client_venv import client_python

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PACKAGE = "nvidia-pytriton==0.7.0"  # the one that still carries a server
_SECONDS_TO_START = 60
_MODELS = {
    # inputs, outputs, their values; as in `models.small_models`
    "double": ("x FP32 -1,2", "y FP32 -1,2", "{'y': f['x'] * FACTOR}"),
    "pair": (
        "a FP32 -1; b INT64 -1,2",
        "sum FP32 -1; b INT64 -1,2",
        "{'sum': (f['a'] + f['b'].sum(1)).astype(np.float32), 'b': f['b']}",
    ),
    "text": ("s STRING -1", "s STRING -1", "{'s': f['s']}"),
    **{name: (f"x {name} -1", f"x {name} -1", "{'x': f['x']}") for name in ("BOOL", "UINT8", "INT32", "FP16", "FP64")},
}
_CODE = """
import numpy as np
import triton_python_backend_utils as pb

FACTOR = {factor}


class TritonPythonModel:
    def execute(self, requests):
        return [self.answer(one) for one in requests]

    def answer(self, request):
        f = {{name: pb.get_input_tensor_by_name(request, name).as_numpy() for name in {names}}}
        return pb.InferenceResponse([pb.Tensor(name, value) for name, value in {values}.items()])
"""


@contextmanager
def original(folder: Path) -> Iterator[str]:
    """Run the original as long as the context lasts, and give its `HOST:PORT`; skip where it cannot run."""
    python = client_python(_PACKAGE)
    packages = next(python.parent.parent.glob("lib/python*/site-packages"))
    home = packages / "pytriton" / "tritonserver"
    _lay_out(folder / "models")
    backends = folder / "backends"
    shutil.copytree(home / "backends", backends)
    version = sysconfig.get_python_version()
    shutil.copy(home / "python_backend_stubs" / version / "triton_python_backend_stub", backends / "python")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = {
        "model-repository": folder / "models",
        "backend-directory": backends,
        "http-port": port,
        "http-address": "127.0.0.1",
        "allow-grpc": "false",
        "allow-metrics": "false",
        "model-control-mode": "none",
    }
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))},
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(packages),
        "LD_LIBRARY_PATH": f"{packages / 'nvidia_pytriton.libs'}:{sysconfig.get_config_var('LIBDIR')}",
    }
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [
                home / "bin" / "tritonserver",
                *(part for name, value in options.items() for part in (f"--{name}", str(value))),
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
        )
    try:
        _wait(server, f"http://127.0.0.1:{port}/v2/health/ready", folder / "log")
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(60)


def _lay_out(base: Path) -> None:
    for name, (inputs, outputs, values) in _MODELS.items():
        names = [one.split()[0] for one in inputs.split(";")]
        for version, factor in (("7", 2), ("3", 30)) if name == "double" else (("7", 2),):
            folder = base / name / version
            folder.mkdir(parents=True)
            (folder / "model.py").write_text(_CODE.format(factor=factor, names=names, values=values))
        config = f'name: "{name}" backend: "python" max_batch_size: 0 version_policy: {{ all {{}} }}\n'
        config += "instance_group [{ kind: KIND_CPU }]\n"
        for kind, tensors in (("input", inputs), ("output", outputs)):
            for one in tensors.split(";"):
                tensor, datatype, shape = one.split()
                config += f'{kind} {{ name: "{tensor}" data_type: TYPE_{datatype} dims: [{shape}] }}\n'
        (base / name / "config.pbtxt").write_text(config)


def _wait(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    pytest.skip(f"tritonserver does not run here: {log.read_text(errors='replace')[-300:]}")
