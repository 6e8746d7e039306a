"""What was trained with its quantization becomes int8 TFLite with the ranges that it learnt, and nothing else."""

import pytest

import workbench.compress
import workbench.convert
from workbench.compress.ledger.holdings import holdings
from workbench.compress.quantization_aware_training import QuantizationAwareTraining
from workbench.convert.flatbuffer import float_operators
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.evaluate.inventory import inventory

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def aware(trained: Artifact, digits: Dataset, workspace: Workspace) -> Artifact:
    method = QuantizationAwareTraining(epochs=1, min_steps=0)
    return workbench.compress(trained, method, digits, workspace=workspace)


def test_its_ranges_are_those_it_learnt(aware: Artifact, digits: Dataset, workspace: Workspace) -> None:
    made = workbench.convert(aware, "tflite", numeric="int8", dataset=digits, workspace=workspace)
    assert float_operators(made.path.read_bytes()) == []
    assert made.metrics["engine"]["name"] == "tensorflow"
    assert "representative" not in made.metrics
    assert any("no representative dataset was used" in note for note in made.metrics["notes"])
    assert made.metrics["parity"]["agreement"] >= 0.99


def test_its_weights_are_read_under_the_names_that_they_had(aware: Artifact, trained: Artifact) -> None:
    before, after = ({each.name: each.shape for each in inventory(one).tensors} for one in (trained, aware))
    assert before.items() <= after.items()
    assert not [name for name in after if name.startswith("layers/")]
    assert sum(each.values.ndim > 1 for each in holdings(aware).kernels) == len(aware.metrics["layers"])


def test_it_is_served_by_tensorflow_too(aware: Artifact, digits: Dataset, workspace: Workspace) -> None:
    made = workbench.convert(aware, "saved_model", dataset=digits, workspace=workspace)
    assert made.metrics["parity"]["passed"]


@pytest.mark.parametrize(
    ("format_", "numeric", "named"),
    [
        ("tflite", "float16", "numeric must be int8 for a model of quantization-aware training"),
        ("tflite", "float32", "numeric must be int8 for a model of quantization-aware training"),
        ("onnx", "float32", "this one was trained for int8 of TFLite"),
        ("keras", "float32", r"layer quant\w* \(Quantize\w+\) has no keras twin"),
    ],
)
def test_other_conversions_are_refused_in_one_sentence(
    format_: str, numeric: str, named: str, aware: Artifact, digits: Dataset, workspace: Workspace
) -> None:
    with pytest.raises(BadInputError, match=named) as error:
        workbench.convert(aware, format_, numeric=numeric, dataset=digits, workspace=workspace)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)
