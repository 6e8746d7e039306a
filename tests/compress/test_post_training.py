from typing import Any

import pytest

import workbench.compress
from workbench.compress.post_training import PostTrainingQuantization
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.core.settings import describe
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset


@pytest.mark.thorough
@pytest.mark.parametrize(
    "method",
    [
        PostTrainingQuantization(numeric="float32"),
        PostTrainingQuantization(numeric="dynamic"),
        PostTrainingQuantization(per_channel=False, picker="stratified", representative_samples=50),
        PostTrainingQuantization(format="onnx", calibration="percentile"),
    ],
    ids=str,
)
def test_it_makes_what_its_settings_say(
    method: PostTrainingQuantization, trained: Artifact, digits: Dataset, workspace: Workspace
) -> None:
    made = workbench.compress(trained, method, digits, workspace=workspace)
    assert made.label == f"{method.format}/{method.numeric}"
    assert made.parent == trained.sha256
    assert made.settings["method"] == "post_training"
    assert {key: made.settings[key] for key in method.model_dump(exclude={"min_agreement"})} == method.model_dump(
        exclude={"min_agreement"}
    )
    assert made.metrics["parity"]["passed"]
    layers = made.metrics["layers"]
    assert sum(facts["elements"] for facts in layers.values()) > 90_000
    assert (max(facts["unique"] for facts in layers.values()) <= 256) is (method.numeric == "int8")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"format": "onnx", "numeric": "int4"}, "numeric must be one of float32, float16, dynamic, int8 for onnx"),
        ({"format": "onnx", "numeric": "int16x8"}, "choose format='tflite' for the others"),
        ({"format": "onnx", "io": "uint8"}, "io must be left alone for onnx"),
        ({"calibration": "entropy"}, "calibration must be minmax for anything but onnx/int8, got 'entropy for tflite"),
        ({"representative_samples": 0}, "representative_samples must be at least 8"),
        ({"picker": "best"}, "picker must be"),
    ],
)
def test_what_does_not_exist_is_refused_at_once(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(BadInputError, match=named):
        PostTrainingQuantization(**settings)


def test_a_sweep_finds_its_axes() -> None:
    axes = {field.name: field.choices for field in describe(PostTrainingQuantization) if field.choices}
    assert {"float32", "float16", "dynamic", "int8"} <= set(axes["numeric"])
    assert axes["picker"] == ("spread", "stratified", "random")
    assert axes["calibration"] == ("minmax", "entropy", "percentile")
