"""A whole road from data to server."""

from __future__ import annotations

from workbench.core.records.base import Record

# pydantic reads these names when it builds the classes.
from workbench.core.records.evaluation import Evaluation, Latency, Parity, Proportion, Verdict  # noqa: TC001
from workbench.core.records.files import Sizes  # noqa: TC001
from workbench.core.records.training import LearningCurve  # noqa: TC001


class Variant(Record):
    """One row of the final table: a model in one format with all that was measured of it.

    Attributes:
        name: What it is called, e.g. `pruned int8 tflite`.
        format: Artifact format.
        numeric: Numeric type of the weights.
        artifact: Folder of the artifact.
        sparsity: Share of zero weights in the prunable tensors, reached, not asked.
        accuracy: On the test split.
        drop: Accuracy of the baseline minus this one's, in [−1, 1].
        drop_low: Lower end of the paired 95 % interval of the drop.
        drop_high: Upper end.
        sizes: Bytes.
        latency: None where it was not measured.
        parity: None for the source itself.
        verdict: The gate's word.
    """

    name: str
    format: str
    numeric: str
    artifact: str
    sparsity: float
    accuracy: Proportion
    drop: float
    drop_low: float
    drop_high: float
    sizes: Sizes
    latency: Latency | None
    parity: Parity | None
    verdict: Verdict | None


class ServingStats(Record):
    """What a server has seen so far; latencies in milliseconds, over the last requests it keeps.

    `unlogged` counts what its request log could not take.
    """

    model: str
    version: str
    requests: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    uptime_s: float
    unlogged: int = 0


class Published(Record):
    """What went into the model store.

    Attributes:
        name: Of the model.
        version: Its number in the store.
        labels: Those that mean it since.
        sha256: Content address of its file.
    """

    name: str
    version: int
    labels: tuple[str, ...]
    sha256: str


class RoadReport(Record):
    """One whole road from data to server: what the final table, the report and the dashboards show.

    `published` is None where nobody asked for it, or the gate failed.
    """

    run: str
    dataset: str
    recipe: str
    attempts: int
    curve: LearningCurve
    evaluation: Evaluation
    variants: tuple[Variant, ...]
    serving: tuple[ServingStats, ...]
    verdict: Verdict
    seconds: float
    machine: str
    published: Published | None = None
