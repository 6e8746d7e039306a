from itertools import count

import pytest

import workbench.evaluate
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.evaluate.gate import Gate
from workbench.evaluate.latency import measure_noise
from workbench.evaluate.variant import measure_variant


def test_a_variant_is_compared_with_its_parent(
    converted: dict[str, Artifact], trained: Artifact, digits: Dataset, workspace: Workspace
) -> None:
    parent = workbench.evaluate(trained, digits, workspace=workspace)
    found = measure_variant("small", converted["tflite/int8"], digits, parent, gate=Gate(max_drop=0.5))
    assert (found.name, found.format, found.numeric) == ("small", "tflite", "int8")
    assert found.drop == pytest.approx(parent.accuracy.value - found.accuracy.value)
    assert found.drop_low <= found.drop <= found.drop_high
    assert found.parity is not None
    assert found.latency is not None
    assert found.sizes.raw == converted["tflite/int8"].path.stat().st_size
    assert found.verdict is not None
    assert found.verdict.passed


def test_only_what_is_deployed_is_timed_and_only_where_asked(
    converted: dict[str, Artifact], trained: Artifact, digits: Dataset, workspace: Workspace
) -> None:
    parent = workbench.evaluate(trained, digits, workspace=workspace)
    assert measure_variant("a", converted["onnx/float32"], digits, parent, timed=False).latency is None
    itself = measure_variant("b", trained, digits, parent, workspace=workspace)
    assert (itself.latency, itself.verdict, itself.drop) == (None, None, 0)


def test_the_same_model_twice_shows_the_noise(converted: dict[str, Artifact], digits: Dataset) -> None:
    steps = count()

    def clock() -> int:
        # Start and end of each call, who goes first alternates: a, b, b, a, a, b, … Ours take 1 ms, theirs 3.
        number = next(steps)
        call, end = divmod(number, 2)
        ours = call % 4 in (0, 3)
        return (number + (1 if ours else 3) * end) * 1_000_000 - end * 1_000_000

    latency, noise = measure_noise(
        converted["tflite/float32"], digits.floats("test", slice(0, 8)), runs=20, warmup=2, clock=clock
    )
    assert (noise.p50, noise.p95, noise.runs) == (pytest.approx(2), pytest.approx(2), 10)
    assert (latency.runs, latency.p50_ms) == (20, pytest.approx(2))
    with pytest.raises(BadInputError, match="runs must be at least 2"):
        measure_noise(converted["tflite/float32"], digits.floats("test", slice(0, 8)), runs=1)
