"""Models of others come in, go out in the formats that are served, and answer real digits as their files do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import workbench
from tests.convert import matrix_models
from workbench.datasets import Dataset
from workbench.jobs import submit

if TYPE_CHECKING:
    from workbench.core.artifact import Artifact
    from workbench.core.workspace import Workspace

# The docs' CNN as Keras 3 saves it, and a network of PyTorch; both trained on digits for a moment.
WAYS = [
    ("docs_cnn.keras", "onnx", "float32"),
    ("docs_cnn.keras", "tflite", "int8"),
    ("docs_cnn.keras", "saved_model", "float32"),
    ("torch_cnn.pt2", "onnx", "float32"),
]
_LEAST = {"float32": 1.0, "int8": 0.99}  # share of samples with the same label as the model that came in


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    names = sorted({Path(file).stem for file, *_ in WAYS})
    subprocess.run(
        [sys.executable, matrix_models.__file__, str(folder), *names], check=True, capture_output=True, text=True
    )
    return folder


@pytest.fixture(scope="module")
def small_digits(models: Path, workspace: Workspace) -> Dataset:
    arrays = np.load(models / "images.npz")
    x, y = arrays["x"], arrays["y"]
    cut = len(x) * 4 // 5
    return Dataset.from_arrays(x[:cut], y[:cut], x[cut:], y[cut:], name="digits_of_others", workspace=workspace)


def _answers(artifact: Artifact, data: Dataset, workspace: Workspace) -> np.ndarray:
    asked = {"artifact": str(artifact.folder), "sha256": artifact.sha256, "dataset": data.spec}
    file = submit("format_models:answer", asked, kind="probe", workspace=workspace).wait(120)
    return np.asarray(np.load(file))


@pytest.mark.thorough
@pytest.mark.parametrize(("file", "form", "numeric"), WAYS)
def test_it_comes_in_goes_out_and_is_served(
    file: str, form: str, numeric: str, models: Path, small_digits: Dataset, workspace: Workspace
) -> None:
    torch = file.endswith(".pt2")
    if torch:
        pytest.importorskip("torch", reason="needs the extra torch")
    adopted = workbench.adopt(models / file, trust=torch, workspace=workspace)
    made = workbench.convert(adopted, form, numeric=numeric, dataset=small_digits, workspace=workspace)  # type: ignore[arg-type]
    parity = made.metrics["parity"]
    assert parity["passed"]
    assert parity["agreement"] >= _LEAST[numeric]

    samples, labels = small_digits.floats("test"), small_digits.labels("test")
    came, own = (_answers(each, small_digits, workspace) for each in (adopted, made))
    assert np.mean(came.argmax(axis=1) == own.argmax(axis=1)) >= _LEAST[numeric]
    with workbench.serve(made, name="stranger", workspace=workspace) as server:
        served = server.client.predict(samples)
    np.testing.assert_allclose(served, own, rtol=0, atol=1e-6)
    assert np.mean(served.argmax(axis=1) == labels) > 0.8
