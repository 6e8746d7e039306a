"""Frozen facts that stages write and figures draw.

A plot is a function from data to one of these, and a function from it to a picture; tests look at the record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from workbench.core.errors import WorkspaceError
from workbench.core.workspace import read_json

if TYPE_CHECKING:
    from pathlib import Path


class Record(BaseModel):
    """Base of all records: frozen, plain JSON both ways."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Rebuild from `to_json`'s value."""
        return cls.model_validate(value)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return self.model_dump(mode="json")


R = TypeVar("R", bound=Record)


def read_record(path: Path, kind: type[R], **known: Any) -> R:
    """Read a record from a JSON file.

    Args:
        path: The file.
        kind: What it holds.
        **known: Fields that the file does not hold because its reader knows better.

    Raises:
        WorkspaceError: The file is missing, no JSON, or not such a record; the first wrong field is named.
    """
    found = read_json(path)
    if not isinstance(found, dict):
        raise _damaged(path, f"it must hold an object, got {type(found).__name__}")
    if extra := sorted(known.keys() & found.keys()):
        raise _damaged(path, f"{extra[0]} must not be in it")
    try:
        return kind.from_json(found | known)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or kind.__name__
        raise _damaged(path, f"{field}: {first['msg'][0].lower()}{first['msg'][1:]}") from error


def _damaged(path: Path, reason: str) -> WorkspaceError:
    return WorkspaceError(f"{path} is damaged ({reason}); make it again.")


class Proportion(Record):
    """A share of successes with its confidence interval.

    Attributes:
        value: `successes / total`, in [0, 1].
        low: Lower end of the interval.
        high: Upper end of the interval.
        successes: Count of successes.
        total: Count of trials.
        level: Confidence level of the interval.
    """

    value: float
    low: float
    high: float
    successes: int
    total: int
    level: float = 0.95


class ClassScore(Record):
    """One class' scores; `support` is the number of its true samples."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


class CalibrationBin(Record):
    """Mean confidence and accuracy of the predictions whose confidence lies in [low, high)."""

    low: float
    high: float
    confidence: float
    accuracy: float
    count: int


class Evaluation(Record):
    """How a model answers on one split of one dataset.

    Attributes:
        model: sha256 of the artifact.
        dataset: Name of the dataset.
        checksum: The dataset's checksum.
        split: `train`, `validation` or `test`.
        accuracy: Share of right labels with its Wilson interval.
        log_loss: Mean negative log likelihood, nats.
        calibration_error: Expected calibration error, in [0, 1].
        classes: Scores a class, in label order.
        confusion: Counts, row = true class, column = predicted class.
        calibration: Reliability diagram.
        correct: Bit a sample, "1" where the label was right; what paired comparisons need.
    """

    model: str
    dataset: str
    checksum: str
    split: str
    accuracy: Proportion
    log_loss: float
    calibration_error: float
    classes: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]
    calibration: tuple[CalibrationBin, ...]
    correct: str

    def __repr__(self) -> str:
        share = self.accuracy
        return (
            f"Evaluation(accuracy={share.value:.4f} [{share.low:.4f}, {share.high:.4f}] on {share.total} "
            f"{self.split} samples of {self.dataset}, log_loss={self.log_loss:.4f}, "
            f"calibration_error={self.calibration_error:.4f})"
        )

    __str__ = __repr__


class Sizes(Record):
    """Bytes on disk, as they are and gzip'd (level 9)."""

    raw: int
    gzip: int


class TensorFacts(Record):
    """One constant tensor of a model file.

    Attributes:
        name: What the file calls it.
        shape: Its axes.
        dtype: As stored.
        bits: Bits an element.
        bytes: Bytes of its values, without the file's own structure.
        elements: How many.
        zeros: How many of them are zero (the zero point, where quantised).
        unique: Distinct stored values.
        weights: False for shapes, paddings, optimizer slots and int32 biases.
        prunable: Weights with two axes or more: kernels.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    bits: int
    bytes: int
    elements: int
    zeros: int
    unique: int
    weights: bool
    prunable: bool

    @property
    def sparsity(self) -> float:
        """Share of zeros, in [0, 1]."""
        return self.zeros / self.elements if self.elements else 0.0


class Inventory(Record):
    """All constant tensors of a model file.

    Attributes:
        artifact: sha256 of the model file.
        tensors: In the file's order.
        parameters: Elements of the weights.
        bytes: Bytes of all tensors.
        sparsity: Share of zeros among the prunable weights.
    """

    artifact: str
    tensors: tuple[TensorFacts, ...]
    parameters: int
    bytes: int
    sparsity: float


class Latency(Record):
    """Seconds of one call in milliseconds, the first calls kept apart.

    Attributes:
        runtime: Which engine answered, e.g. `onnx`.
        batch: Samples a call.
        threads: Intra-op threads.
        runs: Timed calls.
        warmup_ms: Duration of the first call, not part of the percentiles.
        p50_ms: Median.
        p95_ms: 95th percentile.
        p99_ms: 99th percentile.
    """

    runtime: str
    batch: int
    threads: int
    runs: int
    warmup_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


class Parity(Record):
    """How far a converted model's outputs are from its source's on the same real samples.

    Attributes:
        source: Format and numeric type of the source, e.g. `tf_keras/float32`.
        target: The same of the target.
        samples: How many were compared.
        max_abs: Largest absolute difference of the outputs (probabilities).
        mean_abs: Mean absolute difference.
        agreement: Share of samples with the same label.
        worst: Index of the sample with the largest difference.
        max_abs_limit: Tolerance on `max_abs`; None where only labels are compared.
        min_agreement: Tolerance on `agreement`.
        passed: Both tolerances hold.
    """

    source: str
    target: str
    samples: int
    max_abs: float
    mean_abs: float
    agreement: float
    worst: int
    max_abs_limit: float | None
    min_agreement: float
    passed: bool


class GateLine(Record):
    """One rule of a gate and how it came out; `reason` is a sentence."""

    rule: str
    limit: float
    value: float | None
    passed: bool
    reason: str


class Verdict(Record):
    """What a gate said of one model."""

    passed: bool
    lines: tuple[GateLine, ...]

    @property
    def reasons(self) -> str:
        """The failing lines' sentences, or that all passed."""
        failed = [line.reason for line in self.lines if not line.passed]
        return " ".join(failed) if failed else "all rules hold"


class EpochPoint(Record):
    """One finished epoch; losses in nats, accuracies in [0, 1]."""

    epoch: int
    loss: float
    accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    seconds: float
    learning_rate: float


class LearningCurve(Record):
    """A training run, epoch by epoch; `best_epoch` is the one whose weights were kept."""

    label: str
    points: tuple[EpochPoint, ...]
    best_epoch: int | None = None
    stopped_early: bool = False


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
    """What a server has seen so far; latencies in milliseconds, over the last requests it keeps."""

    model: str
    version: str
    requests: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    uptime_s: float


class RoadReport(Record):
    """One whole road from data to server: what the final table, the report and the dashboards show."""

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
