"""The gate a model must pass before it goes on; each rule answers with a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pydantic import Field

from workbench.core.errors import BadInputError, GateFailedError
from workbench.core.records import Evaluation, GateLine, Latency, Sizes, Verdict
from workbench.core.settings import Settings
from workbench.evaluate.intervals import PairedDrop, paired_drop

if TYPE_CHECKING:
    from collections.abc import Callable


class Gate(Settings):
    """Limits that a model must keep; a rule that is None is not asked."""

    min_accuracy: float | None = Field(None, ge=0, le=1, description="least accuracy, 0.988 is 98.8 %")
    max_drop: float | None = Field(
        None, ge=0, le=1, description="largest loss of accuracy against the baseline, 0.005 is 0.5 points"
    )
    max_drop_high: float | None = Field(
        None, ge=0, le=1, description="largest upper end of the paired 95 % interval of that loss"
    )
    worst_class_recall: float | None = Field(None, ge=0, le=1, description="least recall of the worst class")
    max_log_loss: float | None = Field(None, gt=0, description="largest log loss in nats")
    max_calibration_error: float | None = Field(None, ge=0, le=1, description="largest expected calibration error")
    max_bytes: int | None = Field(None, ge=1, description="largest file in bytes")
    max_gzip_bytes: int | None = Field(None, ge=1, description="largest file in bytes once gzip'd")
    max_p95_ms: float | None = Field(None, gt=0, description="largest 95th percentile of one call's milliseconds")

    def check(
        self,
        evaluation: Evaluation,
        baseline: Evaluation | None = None,
        sizes: Sizes | None = None,
        latency: Latency | None = None,
    ) -> Verdict:
        """Judge a model by what was measured of it.

        A rule whose fact was not given fails, and its reason says what to measure.

        Args:
            evaluation: The model's own.
            baseline: The same split answered by the model it came from, for the drop.
            sizes: Bytes of its file.
            latency: Of one call.

        Raises:
            BadInputError: The baseline was evaluated on other samples.
        """
        facts = _Facts(evaluation, _drop(evaluation, baseline), sizes, latency)
        limits = ((name, getattr(self, name)) for name in type(self).model_fields)
        lines = tuple(_RULES[name].line(name, float(limit), facts) for name, limit in limits if limit is not None)
        return Verdict(passed=all(line.passed for line in lines), lines=lines)

    def require(
        self,
        evaluation: Evaluation,
        baseline: Evaluation | None = None,
        sizes: Sizes | None = None,
        latency: Latency | None = None,
    ) -> Verdict:
        """Judge as `check` does and return the verdict of a model that passed.

        Raises:
            GateFailedError: With the reason of each rule that does not hold.
            BadInputError: The baseline was evaluated on other samples.
        """
        verdict = self.check(evaluation, baseline, sizes, latency)
        if not verdict.passed:
            raise GateFailedError(verdict.reasons)
        return verdict


class _Facts(NamedTuple):
    evaluation: Evaluation
    drop: PairedDrop | None
    sizes: Sizes | None
    latency: Latency | None

    @property
    def worst_recall(self) -> float | None:
        # A class of which the split has no sample has no recall.
        recalls = [each.recall for each in self.evaluation.classes if each.support]
        return min(recalls, default=None)

    @property
    def worst_label(self) -> str:
        present = [each for each in self.evaluation.classes if each.support]
        return min(present, key=lambda each: each.recall).label if present else "none"


@dataclass(frozen=True)
class _Rule:
    """How one rule reads its value and says it; `missing` is the next step where there is no value."""

    what: Callable[[_Facts], str]
    value: Callable[[_Facts], float | None]
    show: Callable[[float], str]
    at_least: bool = False
    missing: str = ""

    def line(self, name: str, limit: float, facts: _Facts) -> GateLine:
        value = self.value(facts)
        rule = f"{'at least' if self.at_least else 'at most'} {self.show(limit)}"
        if value is None:
            reason = f"{name} asks for {rule} but it was not measured; {self.missing}."
            return GateLine(rule=name, limit=limit, value=None, passed=False, reason=reason)
        passed = value >= limit if self.at_least else value <= limit
        verb = "is" if passed else "must be"
        reason = f"{self.what(facts)} {verb} {rule}: {self.show(value)}."
        if not passed:
            reason = f"{self.what(facts)} {verb} {rule}, got {self.show(value)}."
        return GateLine(rule=name, limit=limit, value=value, passed=passed, reason=reason)


def _percent(value: float) -> str:
    return f"{value:.2%}".replace("%", " %")


def _points(value: float) -> str:
    return f"{100 * value:.2f} points"


def _bytes(value: float) -> str:
    return f"{value:,.0f} bytes"


def _ms(value: float) -> str:
    return f"{value:.3g} ms"


def _plain(value: float) -> str:
    return f"{value:.4g}"


_NEED_BASELINE = "give the baseline's evaluation"
_NEED_SIZES = "give the artifact's sizes"
_RULES = {
    "min_accuracy": _Rule(
        lambda f: f"Accuracy on {f.evaluation.dataset} ({f.evaluation.split})",
        lambda f: f.evaluation.accuracy.value,
        _percent,
        at_least=True,
    ),
    "max_drop": _Rule(
        lambda _: "Accuracy lost against the baseline",
        lambda f: f.drop.drop if f.drop else None,
        _points,
        missing=_NEED_BASELINE,
    ),
    "max_drop_high": _Rule(
        lambda _: "The upper end of the accuracy lost (95 %)",
        lambda f: f.drop.high if f.drop else None,
        _points,
        missing=_NEED_BASELINE,
    ),
    "worst_class_recall": _Rule(
        lambda f: f"Recall of the worst class ({f.worst_label})",
        lambda f: f.worst_recall,
        _percent,
        at_least=True,
        missing="give an evaluation with samples",
    ),
    "max_log_loss": _Rule(lambda _: "Log loss", lambda f: f.evaluation.log_loss, _plain),
    "max_calibration_error": _Rule(
        lambda _: "Expected calibration error", lambda f: f.evaluation.calibration_error, _plain
    ),
    "max_bytes": _Rule(lambda _: "File size", lambda f: f.sizes.raw if f.sizes else None, _bytes, missing=_NEED_SIZES),
    "max_gzip_bytes": _Rule(
        lambda _: "File size once gzip'd",
        lambda f: f.sizes.gzip if f.sizes else None,
        _bytes,
        missing=_NEED_SIZES,
    ),
    "max_p95_ms": _Rule(
        lambda f: f"95th percentile of a call ({f.latency.runtime})" if f.latency else "Latency",
        lambda f: f.latency.p95_ms if f.latency else None,
        _ms,
        missing="give the latency (`measure_latency`)",
    ),
}


def _drop(evaluation: Evaluation, baseline: Evaluation | None) -> PairedDrop | None:
    if baseline is None:
        return None
    mine, other = (evaluation.checksum, evaluation.split), (baseline.checksum, baseline.split)
    if mine != other:
        raise BadInputError.of(
            "baseline",
            rule=f"must be evaluated on the same samples ({evaluation.dataset}, {evaluation.split})",
            got=f"{baseline.dataset}, {baseline.split}",
            hint="evaluate both models on one dataset",
        )
    return paired_drop(baseline.correct, evaluation.correct)
