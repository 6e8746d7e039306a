import sys

import numpy as np
import pytest

import workbench.convert
import workbench.evaluate
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError, WorkspaceError
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.jobs import jobs, submit


def test_every_format_is_scored_alike(
    trained: Artifact, converted: dict[str, Artifact], digits: Dataset, workspace: Workspace
) -> None:
    base = workbench.evaluate(trained, digits, workspace=workspace)
    assert base.accuracy.value > 0.9
    assert (base.model, base.dataset, base.split) == (trained.sha256, "digits", "test")
    assert len(base.correct) == digits.test_size
    for label, artifact in converted.items():
        other = workbench.evaluate(artifact, digits, workspace=workspace)
        if artifact.numeric == "float32":
            assert other.correct == base.correct, label
        assert abs(other.accuracy.value - base.accuracy.value) <= 0.01, label
    assert "tensorflow" not in sys.modules


def test_the_same_question_is_not_asked_twice(trained: Artifact, digits: Dataset, workspace: Workspace) -> None:
    first = workbench.evaluate(trained, digits, split="train", workspace=workspace)
    count = len(jobs(workspace, kind="evaluate"))
    assert workbench.evaluate(trained, digits, split="train", workspace=workspace) == first
    assert len(jobs(workspace, kind="evaluate")) == count


def test_a_dataset_with_other_classes_is_refused(converted: dict[str, Artifact], workspace: Workspace) -> None:
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 255, (30, 28, 28, 1), np.uint8), np.arange(30) % 3
    other = Dataset.from_arrays(images, labels, images, labels, name="three", workspace=workspace)
    with pytest.raises(BadInputError, match="one column for each of the dataset's 3 classes"):
        workbench.evaluate(converted["onnx/float32"], other, workspace=workspace)


def test_images_of_another_size_are_refused(
    converted: dict[str, Artifact], trained: Artifact, workspace: Workspace
) -> None:
    images, labels = np.zeros((30, 16, 16, 1), np.uint8), np.arange(30) % 10
    small = Dataset.from_arrays(images, labels, images, labels, name="small", workspace=workspace)
    with pytest.raises(BadInputError, match=r"dataset must have samples of the model's shape \(28, 28, 1\)"):
        workbench.evaluate(converted["onnx/float32"], small, workspace=workspace)
    with pytest.raises(BadInputError, match="dataset must have samples of the model's shape"):
        workbench.convert(trained, "onnx", dataset=small, workspace=workspace)


def test_a_model_made_anew_meanwhile_is_not_scored(trained: Artifact, digits: Dataset, workspace: Workspace) -> None:
    asked = {"artifact": str(trained.folder), "sha256": "0" * 64, "dataset": digits.spec, "split": "test"}
    job = submit("workbench.evaluate.score:run", asked, kind="evaluate", workspace=workspace)
    with pytest.raises(WorkspaceError, match="that was asked for"):
        job.wait(60)
