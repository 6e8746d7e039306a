"""The road for rows and other samples that are no images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import workbench.compress
import workbench.convert
import workbench.evaluate
import workbench.train
from workbench.compress.damage import damage
from workbench.compress.magnitude_pruning import MagnitudePruning
from workbench.core.errors import BadInputError
from workbench.datasets import Dataset, load_dataset
from workbench.datasets.base import SOURCES
from workbench.evaluate.gate import Gate
from workbench.evaluate.runtimes.base import open_runtime
from workbench.train.architectures.base import ARCHITECTURES, fitting
from workbench.train.architectures.mlp import Mlp
from workbench.train.fit import train_settings

if TYPE_CHECKING:
    from workbench.core.artifact import Artifact
    from workbench.core.workspace import Workspace


@pytest.fixture(scope="module")
def wine(workspace: Workspace) -> Dataset:
    return load_dataset("wine", workspace=workspace)


@pytest.fixture(scope="module")
def trained(wine: Dataset, workspace: Workspace) -> Artifact:
    """The MLP on wine, by the recipe that shifts images."""
    return workbench.train(wine, "best", architecture="mlp", epochs=15, batch_size=16, workspace=workspace)


def test_a_network_learns_rows(trained: Artifact, wine: Dataset, workspace: Workspace) -> None:
    assert trained.metrics["parameters"] == Mlp().parameters(wine.shape, 3) == (13 + 1) * 128 + (128 + 1) * 3
    found = workbench.evaluate(trained, wine, workspace=workspace)
    assert Gate(min_accuracy=SOURCES.get("wine").sound_accuracy).check(found).passed


def test_what_is_no_image_is_not_shifted_and_that_is_said(trained: Artifact) -> None:
    assert trained.settings["shift_pixels"] == 1
    events = (trained.folder.parent / "events.jsonl").read_text()
    assert "wine holds no images, so nothing is shifted by 1." in events


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES.names() if not ARCHITECTURES.get(name).any_shape])
def test_networks_for_images_refuse_a_table_and_name_those_that_fit(wine: Dataset, name: str) -> None:
    title = ARCHITECTURES.get(name).title
    with pytest.raises(BadInputError) as caught:
        train_settings(wine, architecture=name)
    assert str(caught.value) == (
        f"architecture must fit the dataset's samples of shape (13,), which are no images, got {title!r}; choose mlp."
    )


def test_where_no_network_is_asked_for_a_table_gets_one_that_fits(wine: Dataset, digits: Dataset) -> None:
    assert train_settings(wine).architecture == "mlp"
    assert train_settings(digits).architecture == "docs_cnn"


def test_all_networks_take_images_and_some_take_anything() -> None:
    assert fitting((28, 28, 1)) == ARCHITECTURES.names()
    assert fitting((5,)) == fitting((5, 3)) == fitting((5, 3, 2, 2)) == ("mlp",)


@pytest.mark.thorough
def test_a_table_goes_the_whole_road(trained: Artifact, wine: Dataset, workspace: Workspace) -> None:
    expected = workbench.evaluate(trained, wine, workspace=workspace).accuracy.value
    for format_, numeric in (("onnx", "float32"), ("onnx", "int8"), ("tflite", "float32"), ("tflite", "int8")):
        made = workbench.convert(trained, format_, numeric=numeric, workspace=workspace)
        assert workbench.evaluate(made, wine).accuracy.value == pytest.approx(expected, abs=1.5 / 36)
        with open_runtime(made) as runtime:
            assert runtime.inputs[0].name.removeprefix("serving_default_").split(":")[0] == "features"
        if (format_, numeric) == ("tflite", "int8"):
            coverage = made.metrics["representative"]
            trained_on = wine.floats("train")
            assert coverage["range_of_all"]["low"] == pytest.approx(trained_on.min())
            assert coverage["range_of_all"]["high"] == pytest.approx(trained_on.max())
            assert coverage["missing_classes"] == []


@pytest.mark.thorough
def test_a_pruned_table_model_passes_a_gate_and_its_flips_show_rows(
    trained: Artifact, wine: Dataset, workspace: Workspace
) -> None:
    pruned = workbench.compress(trained, MagnitudePruning(sparsity=0.5), wine, workspace=workspace)
    after = workbench.evaluate(pruned, wine, workspace=workspace)
    assert Gate(min_accuracy=0.8).check(after).passed
    noise = MagnitudePruning(sparsity=0.98, epochs=1, min_steps=0)
    spoilt = workbench.compress(trained, noise, wine, workspace=workspace)
    found = damage(trained, spoilt, wine, split="train", workspace=workspace)
    assert found.flipped > 0
    flip = found.flips[0]
    assert flip.thumbnail == ""
    assert flip.row == wine.row("train", flip.index)
    assert list(flip.row)[:2] == ["alcohol", "malic_acid"]


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ["tokens", "sequences"])
def test_samples_of_any_shape_are_trained_on_and_converted(kind: str, workspace: Workspace) -> None:
    draw = np.random.default_rng(0)
    x = draw.integers(0, 9, (120, 6)) if kind == "tokens" else draw.normal(size=(120, 6, 2))
    y = (x.reshape(120, -1)[:, 0] > x.mean()).astype(int)
    data = Dataset.from_arrays(x[:90], y[:90], x[90:], y[90:], kind="samples", name=kind, workspace=workspace)
    model = workbench.train(data, architecture="mlp", epochs=40, learning_rate=0.01, workspace=workspace)
    assert workbench.evaluate(model, data, workspace=workspace).accuracy.value > 0.8
    small = workbench.convert(model, "tflite", numeric="int8", workspace=workspace)
    assert damage(model, small, data, workspace=workspace).flipped <= 2
