"""NVIDIA's tritonserver (of the package nvidia-pytriton) with its Python back end, started directly.

Run as `triton_server.py MODEL PORT`; it writes a model repository and becomes the server.
"""

import os
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path

import pytriton

CONFIG = """
backend: "python"
max_batch_size: 0
input { name: "image" data_type: TYPE_FP32 dims: [-1, 28, 28, 1] }
output { name: "probabilities" data_type: TYPE_FP32 dims: [-1, 10] }
instance_group { kind: KIND_CPU count: 1 }
parameters { key: "file" value { string_value: "FILE" } }
"""


def repository(folder: Path, model: str) -> Path:
    version = folder / "models" / "docs_cnn" / "1"
    version.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("triton_model.py"), version / "model.py")
    (version.parent / "config.pbtxt").write_text(CONFIG.replace("FILE", model), encoding="utf-8")
    return folder / "models"


def backends(folder: Path, installed: Path) -> Path:
    """Put the stub for this Python beside the back end, where the server looks for it."""
    python = folder / "backends" / "python"
    shutil.copytree(installed / "backends" / "python", python)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    shutil.copy(installed / "python_backend_stubs" / version / "triton_python_backend_stub", python)
    return folder / "backends"


if __name__ == "__main__":
    model, port = sys.argv[1:]
    installed = Path(pytriton.__file__).parent / "tritonserver"
    folder = Path(tempfile.mkdtemp(prefix="triton-", dir=Path(model).parent))
    program = str(installed / "bin" / "tritonserver")
    packages, libraries = sysconfig.get_path("purelib"), sysconfig.get_config_var("LIBDIR")
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": packages,
        "LD_LIBRARY_PATH": f"{Path(packages) / 'nvidia_pytriton.libs'}:{libraries}",
    }
    arguments = [
        f"--model-repository={repository(folder, model)}", f"--backend-directory={backends(folder, installed)}",
        "--http-address=127.0.0.1", f"--http-port={port}", "--allow-grpc=false", "--allow-metrics=false",
        "--log-info=false", "--log-warning=false",
    ]  # fmt: skip
    os.execve(program, [program, *arguments], environment)  # noqa: S606 - the rival's own program
