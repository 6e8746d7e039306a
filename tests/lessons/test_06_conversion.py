"""The exercise of the tutorial on conversion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import workbench as wb
from workbench.core.artifact import Artifact

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.artifact import Numeric


@pytest.fixture
def made(tmp_path: Path) -> Artifact:
    return converted(tmp_path, "int8")


def converted(folder: Path, numeric: Numeric) -> Artifact:
    (folder / "model.onnx").write_bytes(b"weights")
    parity = {"samples": 1000, "agreement": 0.995}
    return Artifact.write(
        folder, file="model.onnx", format="onnx", numeric=numeric, name="made", metrics={"parity": parity}
    )


@pytest.mark.parametrize(
    ("count", "says"),
    [
        (5, "Right."),
        (1000 * (1 - 0.995), "Right."),
        (0.005, "a share"),
        (995, "kept their label"),
        (4, "4 do not make up"),
        ("few", "cannot be judged"),
    ],
)
def test_the_labels_are_counted(made: Artifact, count: object, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    wb.check("labels_that_changed", (made, count))
    assert says in capsys.readouterr().out


def test_another_model_or_no_pair_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wb.check("labels_that_changed", (converted(tmp_path, "float32"), 5))
    wb.check("labels_that_changed", 5)
    said = capsys.readouterr().out
    assert "got onnx/float32" in said
    assert "two things" in said
