"""Environments of their own for clients whose requirements clash with ours, made once and kept."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.jobs.lock import locked

_SECONDS_TO_INSTALL = 900
_DONE = "installed"


def client_python(*requirements: str) -> Path:
    """Return the interpreter of an environment that holds these packages and nothing of ours.

    It is installed at the first call and found again by the next ones, of other test runs too, in
    `WORKBENCH_TEST_VENVS` or the user's cache folder. The test that asks is skipped where it cannot be installed.

    Args:
        requirements: What `uv pip install` is given.
    """
    folder = _home() / _name(requirements)
    python = folder / "bin" / "python"
    with locked(folder.with_suffix(".lock"), timeout=_SECONDS_TO_INSTALL):
        if not (folder / _DONE).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            _install(folder, python, requirements)
            (folder / _DONE).write_text("\n".join(requirements))
    return python


def run_client(python: Path, script: Path | str, *arguments: object, seconds: float = 120) -> str:
    """Run a client's script, or its text, and return what it prints; a failure shows what it said.

    Args:
        python: Interpreter, of `client_python`.
        script: A file, or the program itself.
        arguments: What it is told.
        seconds: How long it may take.
    """
    what = ["-c", script] if isinstance(script, str) else [script]
    # Of our environment nothing may reach it: it is a stranger.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        [python, *what, *map(str, arguments)],
        env={**kept, "TF_CPP_MIN_LOG_LEVEL": "3", "GRPC_VERBOSITY": "ERROR"},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def _home() -> Path:
    told = os.environ.get("WORKBENCH_TEST_VENVS")
    if told:
        return Path(told)
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "lastmile-workbench" / "test-venvs"


def _name(requirements: tuple[str, ...]) -> str:
    question = "\n".join((*sorted(requirements), sys.version))
    first = requirements[0].partition("=")[0].partition("[")[0].partition(">")[0]
    return f"{first}-{hashlib.sha256(question.encode()).hexdigest()[:10]}"


def _install(folder: Path, python: Path, requirements: tuple[str, ...]) -> None:
    uv = shutil.which("uv", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))
    if uv is None:
        pytest.skip("uv is not installed; `pip install uv` and try again")
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, folder],
        [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, *requirements],
    ):
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=_SECONDS_TO_INSTALL)
        except subprocess.CalledProcessError as error:
            pytest.skip(f"{' '.join(requirements)} cannot be installed here: {error.stderr[-500:]}")
        except subprocess.TimeoutExpired:
            pytest.skip(f"{' '.join(requirements)} took more than {_SECONDS_TO_INSTALL} s to install")
