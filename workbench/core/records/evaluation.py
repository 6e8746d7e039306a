"""How right, how sure, how fast a model is, and whether that is enough."""

from __future__ import annotations

from workbench.core.records.base import Record


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

    def __str__(self) -> str:
        """Return it as people read it: `0.9276 [0.8960, 0.9501] of 359`."""
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}] of {self.total}"


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
        max_abs: Largest absolute difference of the outputs, as the models give them.
        mean_abs: Mean absolute difference.
        logits_max_abs: Largest absolute difference of the logits; of the logarithms of probabilities, each row less
            its mean, where the models give those. None in comparisons that did not take it.
        logits_mean_abs: Mean absolute difference of the same.
        probabilities_max_abs: Largest absolute difference of the probabilities.
        probabilities_mean_abs: Mean absolute difference of the same.
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
    logits_max_abs: float | None = None
    logits_mean_abs: float | None = None
    probabilities_max_abs: float | None = None
    probabilities_mean_abs: float | None = None


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

    def __str__(self) -> str:
        """Return a line a rule: whether it holds, and why."""
        return "\n".join(f"{'passed' if line.passed else 'FAILED'}  {line.reason}" for line in self.lines)
