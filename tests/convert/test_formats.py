"""Small models of every shape and head into every format: each answers the same, or says why not."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import workbench.convert
from tests.convert.small_models import made
from tests.jobs import format_models
from workbench.convert.base import converters
from workbench.convert.facts import facts_of
from workbench.core.artifact import Artifact, Format, Numeric
from workbench.core.errors import WorkbenchError
from workbench.core.records import Parity
from workbench.core.workspace import Workspace

EDGES: tuple[tuple[Format, Numeric], ...] = (
    ("saved_model", "float32"), ("tflite", "float32"), ("tflite", "int8"), ("onnx", "float32"), ("onnx", "int8"),
)  # fmt: skip
# What cannot be, and how it is said.
LOOPS = (
    "numeric must be float32, float16 or dynamic for a model that loops over time steps (LSTM, GRU), got 'int8'; "
    "convert it to onnx, take an LSTM of tf_keras, or build recurrent layers with unroll=True."
)
REFUSED = {
    ("lstm", "keras", "tflite/int8"): LOOPS,
    ("gated", "keras", "tflite/int8"): LOOPS,
    ("gated", "tf_keras", "tflite/int8"): LOOPS,
}
ONE_SAMPLE = "It takes one sample a call, since TFLite cannot loop over time steps of any number of samples."


@pytest.fixture(scope="module", params=["keras", "tf_keras"])
def library(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.thorough
@pytest.mark.parametrize("model", format_models.MODELS)
def test_every_edge_answers_the_same_or_says_why_not(model: str, library: str, workspace: Workspace) -> None:
    source = made(model, library, workspace)

    def convert(edge: tuple[Format, Numeric]) -> Artifact | WorkbenchError:
        format_, numeric = edge
        # Of a hundred samples of noise few may change, but of these models' making one more than of a trained one's.
        asked: dict[str, Any] = {} if numeric == "float32" else {"min_agreement": 0.9}
        try:
            return workbench.convert(source, format_, numeric=numeric, workspace=workspace, **asked)
        except WorkbenchError as error:
            return error

    with ThreadPoolExecutor(2) as threads:
        results = dict(zip(EDGES, threads.map(convert, EDGES), strict=True))
    facts = facts_of(source)
    for (format_, numeric), result in results.items():
        expected = REFUSED.get((model, library, f"{format_}/{numeric}"))
        # The map knows beforehand.
        objection = converters.get(format_).objection(facts, numeric)
        assert bool(objection) == (expected is not None), f"{format_}/{numeric}"
        if expected is not None or isinstance(result, WorkbenchError):
            assert str(result) == expected, f"{format_}/{numeric}"
            continue
        parity = Parity.from_json(result.metrics["parity"])
        assert parity.passed
        assert parity.max_abs <= (1e-4 if numeric == "float32" else 0.12)
        assert (ONE_SAMPLE in result.metrics["notes"]) == (model in ("lstm", "gated") and format_ == "tflite")
