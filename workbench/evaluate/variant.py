"""One artifact with all that is measured of it: what the road's table and every point of a sweep consist of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.records import Parity, Variant
from workbench.evaluate.intervals import paired_drop
from workbench.evaluate.inventory import inventory
from workbench.evaluate.latency import measure_latency
from workbench.evaluate.score import evaluate
from workbench.evaluate.sizes import measure_sizes

if TYPE_CHECKING:
    from workbench.core.artifact import Artifact
    from workbench.core.records import Evaluation
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset
    from workbench.evaluate.gate import Gate

DEPLOYED = ("onnx", "tflite")
TIMED_SAMPLES = 64


def measure_variant(
    name: str,
    artifact: Artifact,
    data: Dataset,
    baseline: Evaluation,
    *,
    gate: Gate | None = None,
    timed: bool = True,
    workspace: Workspace | None = None,
) -> Variant:
    """Evaluate an artifact on the test split, weigh and time it, and judge it.

    Args:
        name: What to call it.
        artifact: What to measure; `tf_keras` and `saved_model` are answered by a job.
        data: What the baseline was evaluated on.
        baseline: Of the model that the drop is counted from.
        gate: Judges it; None is no verdict.
        timed: Whether the latency is measured, which only means something while nothing else runs; formats that are
            not deployed are never timed.
        workspace: Where a job runs; None is the default one.

    Raises:
        WorkspaceError: The model file is missing, truncated or changed.
        BadInputError: The model does not fit the data, or the baseline was evaluated on other samples.
    """
    evaluation = evaluate(artifact, data, workspace=workspace)
    sizes = measure_sizes(artifact)
    samples = data.floats("test", slice(0, TIMED_SAMPLES))
    latency = measure_latency(artifact, samples) if timed and artifact.format in DEPLOYED else None
    drop, low, high = paired_drop(baseline.correct, evaluation.correct)
    parity = artifact.metrics.get("parity")
    return Variant(
        name=name,
        format=artifact.format,
        numeric=artifact.numeric,
        artifact=str(artifact.folder),
        sparsity=inventory(artifact).sparsity,
        accuracy=evaluation.accuracy,
        drop=drop,
        drop_low=low,
        drop_high=high,
        sizes=sizes,
        latency=latency,
        parity=Parity.from_json(parity) if parity else None,
        verdict=gate.check(evaluation, baseline=baseline, sizes=sizes, latency=latency) if gate is not None else None,
    )
