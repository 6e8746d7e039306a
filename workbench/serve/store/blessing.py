"""A version is tried in a process of its own before clients meet it: loaded, and asked what warms it up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from workbench.core.errors import GateFailedError
from workbench.serve.store.labels import CANARY, STABLE

if TYPE_CHECKING:
    from pathlib import Path

BLESSED = (STABLE, CANARY)
"""Labels that mean only what was tried."""

_PROBE = "workbench.serve.store.probe"
_SECONDS = 120.0  # TensorFlow alone takes ten on a busy machine


def bless_version(folder: Path, *, home: Path | None = None) -> None:
    """Load a version as a server does and run the requests recorded for its warm-up, else zeros.

    Args:
        folder: The version's, `<base>/<name>/<version>`.
        home: Workspace that vouches for its models; None is the default one.

    Raises:
        GateFailedError: It does not load or does not answer, or the process that tried it died, hung or took too much
            memory.
    """
    environment = {**os.environ, **({"WORKBENCH_HOME": str(home)} if home is not None else {})}
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", _PROBE, str(folder)], stdin=subprocess.DEVNULL, capture_output=True,
            encoding="utf-8", errors="replace", timeout=_SECONDS, check=False, env=environment,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise _refused(folder, f"the process that tried it took longer than its limit of {_SECONDS:g} s") from None
    if done.returncode:
        said = done.stdout.strip().splitlines()
        raise _refused(folder, said[-1].rstrip(".") if said else f"the process that tried it {_how(done.returncode)}")


def _refused(folder: Path, reason: str) -> GateFailedError:
    return GateFailedError(
        f"version {folder.name} of {folder.parent.name} must load and answer before a label moves to it, "
        f"but it did not: {reason}."
    )


def _how(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
