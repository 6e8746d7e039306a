"""Stages that tests send through the engine; the cluster finds this file through PYTHONPATH."""

from __future__ import annotations

import os
import re
import signal
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from workbench.jobs import StageContext


def echo(context: StageContext) -> dict[str, Any]:
    return {"echo": context.settings, "resumed": context.resumed, "tensorflow": "tensorflow" in sys.modules}


def first_line(_: StageContext) -> dict[str, float]:
    return {"time": time.time()}


def hold(context: StageContext) -> dict[str, Any]:
    """Say that it is there, then go on until a file `go` lies in the run's folder."""
    context.emit("ready", pid=os.getpid())
    while not (context.folder / "go").exists():
        time.sleep(0.005)
    return {"resumed": context.resumed}


def hold_the_interpreter(context: StageContext) -> None:
    """Never let another thread of this process run again."""
    context.emit("ready", pid=os.getpid())
    re.match(r"(a+)+$", "a" * 64 + "b")


def fail(context: StageContext) -> Any:
    print("before the end", file=sys.stderr)  # noqa: T201
    how = context.settings["how"]
    if how == "bad input":
        raise BadInputError.of("epochs", rule="must be below 100", got=200, hint="choose fewer")
    if how == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "exit":
        sys.exit("enough")
    if how == "no json":
        return {"value": object()}
    return 1 / 0


def grow(context: StageContext) -> None:
    """Take memory until somebody minds."""
    kept = []
    while True:
        kept.append(bytearray(b"x" * (8 << 20)))
        context.emit("grown", pieces=len(kept))
        time.sleep(0.02)


def fill_the_disk(context: StageContext) -> None:
    with (context.result / "big.bin").open("wb") as file:
        while True:
            file.write(bytes(1 << 16))
            file.flush()


def make_a_model(context: StageContext) -> dict[str, str]:
    from workbench.core.artifact import Artifact

    (context.result / "model.onnx").write_bytes(b"weights")
    Artifact.write(context.result, file="model.onnx", name="probe", format="onnx", numeric="float32")
    return {"artifact": str(context.result)}


def litter(context: StageContext) -> dict[str, str]:
    """Leave a temporary file behind, as some libraries do."""
    handle, path = tempfile.mkstemp()
    os.close(handle)
    return {"path": path, "run": str(context.folder)}
