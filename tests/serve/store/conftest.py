"""A store, and models for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workbench.core.artifact import Artifact
from workbench.serve.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "models")


@pytest.fixture
def make(tmp_path: Path) -> Callable[[str], Artifact]:
    """Make an artifact of some content, which no engine opens."""

    def made(content: str) -> Artifact:
        folder = tmp_path / f"made-{content}"
        folder.mkdir()
        (folder / "model.onnx").write_text(content)
        return Artifact.write(folder, file="model.onnx", name="m", format="onnx", numeric="float32")

    return made
