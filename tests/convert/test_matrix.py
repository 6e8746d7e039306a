"""The matrix: every network, as it comes in, into everything that can come out, each step compared with the one before.

It takes minutes, prints its table (`-s`) and leaves it in `test-artifacts/formats.md`.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import workbench
from workbench.convert.routes import convert_along
from workbench.core.errors import ParityError, WorkbenchError
from workbench.datasets import Dataset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.core.artifact import Artifact
    from workbench.core.workspace import Workspace

HERE = Path(__file__).parent
MADE = HERE.parents[1] / "test-artifacts" / "formats.md"
sys.path.insert(0, str(HERE))
from matrix_models import DATA, OLD_ONES, TORCH  # noqa: E402 - beside this file

OUT = (
    "keras/float32", "tf_keras/float32", "h5/float32", "saved_model/float32",
    "onnx/float32", "onnx/float16", "onnx/dynamic", "onnx/int8",
    "tflite/float32", "tflite/float16", "tflite/dynamic", "tflite/int8", "tflite/int16x8", "tflite/int4",
    "c_array/int8", "packed/float32",
)  # fmt: skip
HEADER = f"| network | comes as | {' | '.join(OUT)} |"
FOREIGN = ("saved_model", "tflite", "onnx")
PASSED, PARITY, NO_WAY, FAILED = "yes", "parity", "–", "no"


@dataclass(frozen=True)
class Cell:
    """How one way went."""

    network: str
    came_as: str
    target: str
    result: str
    said: str = ""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("matrix")
    done = subprocess.run(
        [sys.executable, str(HERE / "matrix_models.py"), str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


@pytest.fixture(scope="module")
def data(models: Path, workspace: Workspace) -> dict[str, Dataset]:
    found = {}
    for name in set(DATA.values()):
        arrays = np.load(models / f"{name}.npz")
        cut = len(arrays["x"]) * 4 // 5
        x, y = arrays["x"], arrays["y"]
        kind = "samples" if name == "sequences" else "images"
        found[name] = Dataset.from_arrays(
            x[:cut], y[:cut], x[cut:], y[cut:], kind=kind, name=f"matrix_{name}", workspace=workspace
        )
    return found


def ways_in(models: Path) -> Iterator[tuple[str, str, Path]]:
    """Give each network with the kind of file that it comes in as."""
    for name in DATA:
        if name in TORCH:
            if (models / f"{name}.pt2").exists():
                yield name, "torch", models / f"{name}.pt2"
            continue
        yield name, "keras", models / f"{name}.keras"
        if name in OLD_ONES:
            yield name, "tf_keras", models / f"{name}.tf_keras.keras"
            yield name, "h5", models / f"{name}.h5"


def as_a_stranger(made: Artifact, folder: Path) -> Path:
    """Copy a model's file to where nobody here vouches for it."""
    folder.mkdir()
    copy = folder / f"somebodys_{made.file}"
    (shutil.copytree if made.path.is_dir() else shutil.copyfile)(made.path, copy)
    return copy


def go(artifact: Artifact, came_as: str, network: str, target: str, dataset: Dataset, workspace: Workspace) -> Cell:
    if artifact.label == target:
        return Cell(network, came_as, target, PASSED)
    form, numeric = target.split("/")
    try:
        convert_along(artifact, form, numeric=numeric, dataset=dataset, workspace=workspace, parity_samples=300)  # type: ignore[arg-type]
    except ParityError as error:
        return Cell(network, came_as, target, PARITY, str(error))
    except WorkbenchError as error:
        result = NO_WAY if "must be reachable" in str(error) else FAILED
        return Cell(network, came_as, target, result, str(error))
    return Cell(network, came_as, target, PASSED)


@pytest.fixture(scope="module")
def cells(
    models: Path, data: dict[str, Dataset], workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> list[Cell]:
    brought: list[tuple[str, str, Artifact]] = []
    strangers = tmp_path_factory.mktemp("strangers")
    for network, came_as, path in ways_in(models):
        adopted = workbench.adopt(path, trust=came_as == "torch", workspace=workspace)
        brought.append((network, came_as, adopted))
        if network in OLD_ONES and came_as == "keras":
            for form in FOREIGN:
                made = workbench.convert(adopted, form, dataset=data[DATA[network]], workspace=workspace)  # type: ignore[arg-type]
                file = as_a_stranger(made, strangers / f"{network}_{form}")
                brought.append((network, form, workbench.adopt(file, workspace=workspace)))
    asked = [(artifact, came_as, network, target) for network, came_as, artifact in brought for target in OUT]
    with ThreadPoolExecutor(2) as threads:
        return list(threads.map(lambda each: go(*each, data[DATA[each[2]]], workspace), asked))


def table(cells: list[Cell]) -> str:
    """Return the matrix as Markdown, what was said of each failure below it."""
    rows = list(dict.fromkeys((cell.network, cell.came_as) for cell in cells))
    found = {(cell.network, cell.came_as, cell.target): cell for cell in cells}
    reasons = list(dict.fromkeys(plain(cell.said) for cell in cells if cell.said and cell.result != NO_WAY))
    lines = [HEADER, "|---" * (len(OUT) + 2) + "|"]
    for network, came_as in rows:
        row = [found[network, came_as, target] for target in OUT]
        marks = [f"{each.result}{note(each, reasons)}" for each in row]
        lines.append(f"| {network} | {came_as} | {' | '.join(marks)} |")
    notes = [f"{number}. {reason}" for number, reason in enumerate(reasons, 1)]
    return "\n".join([*lines, "", *notes]) + "\n"


def note(cell: Cell, reasons: list[str]) -> str:
    said = plain(cell.said)
    return f" ({reasons.index(said) + 1})" if said in reasons else ""


def plain(said: str) -> str:
    """Leave out what differs from run to run: figures, a job's number and where its output lies."""
    said = said.split(", got ", maxsplit=1)[0]
    said = re.sub(r"The process of \S+ was", "Its process was", said)
    return re.sub(r"; its output is in \S+;", ";", said)


@pytest.mark.slow
def test_every_way_is_gone_or_says_why_not(cells: list[Cell]) -> None:
    text = table(cells)
    MADE.parent.mkdir(exist_ok=True)
    MADE.write_text(text, encoding="utf-8")
    print(text)  # noqa: T201 - what `make test-slow` is asked for
    failed = [cell for cell in cells if cell.result in (FAILED, PARITY)]
    assert all("\n" not in cell.said and "Traceback" not in cell.said for cell in failed)
    # Float files of every network that plain layers can say: what is exact must be.
    floats = {"onnx/float32", "tflite/float32", "saved_model/float32"}
    bad = [cell for cell in failed if cell.target in floats and cell.network not in ("lstm", "batch_of_one")]
    assert bad == []
