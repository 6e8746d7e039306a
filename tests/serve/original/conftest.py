"""A stand-in for the original on PATH, and folders that look like SavedModels."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from workbench.core.artifact import Artifact
from workbench.core.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

STUB = Path(__file__).with_name("stub_server.py")


@pytest.fixture
def home(tmp_path: Path) -> Workspace:
    return Workspace.at(tmp_path / "home")


@pytest.fixture
def saved_model(tmp_path: Path) -> Callable[[str], Artifact]:
    """Return a SavedModel with a graph of that text; nothing here ever opens it."""

    def make(text: str) -> Artifact:
        folder = tmp_path / text
        (folder / "model" / "variables").mkdir(parents=True)
        (folder / "model" / "saved_model.pb").write_text(text)
        (folder / "model" / "variables" / "variables.index").write_text("weights")
        return Artifact.write(folder, file="model", name="m", format="saved_model", numeric="float32")

    return make


@pytest.fixture
def original(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a `tensorflow_model_server` on PATH; return the file that will hold its flags."""
    place = tmp_path / "bin"
    place.mkdir()
    program = place / "tensorflow_model_server"
    program.write_text(f"#!{sys.executable}\n" + STUB.read_text(encoding="utf-8"), encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(place), prepend=os.pathsep)
    return place / "flags.json"
