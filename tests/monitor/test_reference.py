"""A reference is measured from a model and what it was trained on, and real answers are compared with it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.monitor.streams import DRIFTS
from workbench.core.errors import BadInputError
from workbench.core.sketch import sketch, top
from workbench.datasets import Dataset
from workbench.evaluate.runtimes import open_runtime
from workbench.monitor.alarms import CallbackTarget
from workbench.monitor.drift import DriftSettings, Reference
from workbench.monitor.drift.comparison import Comparison, Window
from workbench.monitor.settings import MonitorSettings
from workbench.monitor.watch import Monitor
from workbench.serve.sandbox import serve

if TYPE_CHECKING:
    from typing import Any

    from workbench.core.artifact import Artifact
    from workbench.core.records import MonitorReport
    from workbench.core.workspace import Workspace

    Array = np.ndarray[Any, Any]


def window(artifact: Artifact, x: Array, which: Array) -> Window:
    """Samples as a server of this model would have noted them."""
    with open_runtime(artifact) as runtime:
        best, sure, _ = top(runtime.predict(x[which]))
    return Window(sketch(x[which]), best, sure, 0, 25)


def test_a_reference_is_of_what_the_model_did_not_learn_from(
    converted: dict[str, Artifact], digits: Dataset, workspace: Workspace
) -> None:
    artifact = converted["onnx/float32"]
    found = Reference.of(artifact, digits, split="validation", workspace=workspace)
    learnt_from, held = digits.validation_split(0.1)
    assert found.shape == (7, 7)
    assert len(found.features) == len(learnt_from)
    assert len(found.confidence) == len(held)
    assert len(found.predictions) == digits.train_size
    assert found.source["model"] == artifact.sha256
    said = window(artifact, digits.floats("train"), held)
    assert np.array_equal(found.predictions[-len(held) :], said.predictions)
    assert np.allclose(found.confidence, said.confidence, atol=1e-5)
    few = Reference.of(artifact, digits, samples=100, workspace=workspace)
    assert [len(part) for part in (few.features, few.predictions, few.confidence)] == [100, 200, 100]


def test_a_model_that_needs_tensorflow_is_asked_in_a_job(
    converted: dict[str, Artifact], digits: Dataset, workspace: Workspace
) -> None:
    there, here = (
        Reference.of(converted[name], digits, workspace=workspace) for name in ("saved_model/float32", "onnx/float32")
    )
    assert np.array_equal(there.features, here.features)
    assert (there.predictions == here.predictions).mean() > 0.99
    assert np.allclose(there.confidence, here.confidence, atol=1e-3)


def test_a_real_model_is_quiet_on_its_own_samples_and_told_on_others(
    converted: dict[str, Artifact], digits: Dataset, workspace: Workspace
) -> None:
    artifact, rng = converted["tflite/int8"], np.random.default_rng(2)
    reference = Reference.of(artifact, digits, split="train", workspace=workspace)  # the test split is what comes
    comparison = Comparison(reference, DriftSettings())
    x, y = digits.floats("test"), digits.labels("test")
    for _ in range(10):
        assert not comparison.of(window(artifact, x, rng.integers(0, len(x), 250)), 25).alarm
    for name, drift in DRIFTS.items():
        drifted = drift(x, y).astype(np.float32)
        report = comparison.of(window(artifact, drifted, rng.integers(0, len(drifted), 250)), 25)
        assert report.alarm, name


def test_what_does_not_belong_together_is_refused(
    converted: dict[str, Artifact], digits: Dataset, workspace: Workspace
) -> None:
    artifact = converted["onnx/float32"]
    with pytest.raises(BadInputError, match="split must be test, validation or train"):
        Reference.of(artifact, digits, split="all", workspace=workspace)  # type: ignore[arg-type]
    rng = np.random.default_rng(0)
    x, y = rng.random((30, 28, 28, 1), np.float32), np.arange(30) % 3
    three = Dataset.from_arrays(x, y, x, y, name="three", kind="images", workspace=workspace)
    with pytest.raises(BadInputError, match="must answer with a score for each class"):
        Reference.of(artifact, three, workspace=workspace)


def test_what_clients_send_to_a_real_server_is_told_to_drift_in_the_same_numbers(
    converted: dict[str, Artifact], digits: Dataset, workspace: Workspace
) -> None:
    artifact, rng = converted["onnx/float32"], np.random.default_rng(4)
    reference = Reference.of(artifact, digits, split="train", workspace=workspace)
    x, y = digits.floats("test"), digits.labels("test")
    turned = DRIFTS["rotated"](x, y).astype(np.float32)
    raised, stop = threading.Event(), threading.Event()
    reports: list[MonitorReport] = []
    target = CallbackTarget(lambda _: raised.set())
    with serve(artifact, "watched", workspace=workspace, request_log=True, workers=1) as sandbox:
        monitor = Monitor(sandbox, reference, targets=[target], settings=MonitorSettings(seconds=0.05))
        thread = threading.Thread(target=monitor.run, args=(stop, reports.append))
        thread.start()
        try:
            for image in x[rng.integers(0, len(x), 375)]:
                sandbox.client.predict(image[None])
            assert not raised.is_set()
            for image in turned[rng.integers(0, len(x), 500)]:
                sandbox.client.predict(image[None])
            assert raised.wait(20)
        finally:
            stop.set()
            thread.join()
            monitor.close()
    told = [report.drift for report in reports if report.drift is not None]
    assert told[-1].alarm
    assert "darker than the reference" in told[-1].words
    before = Comparison(reference, DriftSettings()).of(window(artifact, x, np.arange(250)), 25)
    assert told[-1].image_before == before.image_before
