"""What a monitor saw: drift and its pictures, live accuracy, alarms."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from workbench.core.records.base import Record
from workbench.core.records.evaluation import Proportion  # noqa: TC001 - pydantic reads it

Family = Literal["input", "embedding", "predictions", "confidence"]


class DriftTest(Record):
    """One family of tests on one window.

    Attributes:
        family: What was compared: each value of the sketch, their principal components, class counts, confidence.
        statistic: Kolmogorov and Smirnov's distance, the largest of the family's; Pearson's chi-squared of classes.
        p_value: Of a distance so large where nothing drifted, corrected for all tests of the family (Holm).
        level: An alarm is a p-value at or below it.
        alarm: It is.
        words: What differs, one sentence; empty without an alarm.
    """

    family: Family
    statistic: float
    p_value: float
    level: float
    alarm: bool
    words: str = ""


class FeatureDrift(Record):
    """One value of the sketch.

    Attributes:
        index: Its place in the sketch; of an image, row times columns plus column.
        distance: Kolmogorov and Smirnov's, in [0, 1].
        p_value: Corrected for all values of the sketch (Holm).
        alarm: It differs.
        before: Mean of the reference.
        now: Mean of the window.
    """

    index: int
    distance: float
    p_value: float
    alarm: bool
    before: float
    now: float


class ClassShare(Record):
    """How often a class is answered, in [0, 1]: in the reference and in the window."""

    label: str
    before: float
    now: float


class DriftReport(Record):
    """One window of requests beside the reference.

    Attributes:
        samples: Samples in the window.
        begun: When the first was answered, seconds since 1970.
        ended: When the last was.
        tests: One a family that could be tested.
        features: One a value of the sketch.
        shape: Rows and columns of the sketch of an image, else its length.
        classes: Shares of the answers.
        confidence_edges: Edges of the confidence's bins.
        confidence_before: Share of the reference a bin.
        confidence_now: Share of the window a bin.
    """

    samples: int
    begun: float
    ended: float
    tests: tuple[DriftTest, ...]
    features: tuple[FeatureDrift, ...] = ()
    shape: tuple[int, ...] = ()
    classes: tuple[ClassShare, ...] = ()
    confidence_edges: tuple[float, ...] = ()
    confidence_before: tuple[float, ...] = ()
    confidence_now: tuple[float, ...] = ()

    @property
    def alarm(self) -> bool:
        """Some family drifted."""
        return any(test.alarm for test in self.tests)

    @property
    def words(self) -> str:
        """What differs, in sentences; that nothing does, where nothing does."""
        told = " ".join(test.words for test in self.tests if test.alarm)
        return told or f"The last {self.samples} samples look like the reference."

    @property
    def image_before(self) -> tuple[tuple[float, ...], ...]:
        """Mean sketch of the reference, rows of columns; one row where samples are no images."""
        return self._image([each.before for each in self.features])

    @property
    def image_now(self) -> tuple[tuple[float, ...], ...]:
        """Mean sketch of the window, likewise."""
        return self._image([each.now for each in self.features])

    def _image(self, values: list[float]) -> tuple[tuple[float, ...], ...]:
        columns = self.shape[-1] if self.shape else len(values)
        return tuple(tuple(values[at : at + columns]) for at in range(0, len(values), columns or 1))

    def __repr__(self) -> str:
        return f"DriftReport({'drift' if self.alarm else 'no drift'} in {self.samples} samples: {self.words})"

    __str__ = __repr__


class AlarmEvent(Record):
    """An alarm began or is over.

    Attributes:
        rule: Name of the rule.
        metric: What it watches.
        state: `raised` or `cleared`.
        value: The metric now.
        limit: What it must not pass.
        time: Seconds since 1970.
        words: The reason, one sentence or more.
    """

    rule: str
    metric: str
    state: Literal["raised", "cleared"]
    value: float
    limit: float
    time: float
    words: str


class MonitorReport(Record):
    """One look at a server.

    Attributes:
        time: When, seconds since 1970.
        requests: Requests that were noted since the last look.
        facts: What rules were asked about; a metric that there is nothing new of is left out.
        error_rate: Share of recent requests that failed; None where there were too few.
        p95_ms: 95 of a hundred recent answers were not slower, milliseconds; None where there were too few.
        accuracy: Of the recent answers whose truth is known; None where too few are.
        drift: The last window that was full in this look.
        alarms: Rules that are raised now.
        events: What this look changed.
    """

    time: float
    requests: int
    facts: dict[str, float] = Field(default_factory=dict)
    error_rate: Proportion | None = None
    p95_ms: float | None = None
    accuracy: Proportion | None = None
    drift: DriftReport | None = None
    alarms: tuple[str, ...] = ()
    events: tuple[AlarmEvent, ...] = ()

    def __str__(self) -> str:
        """Return a line for each of what is known: requests, errors, latency, accuracy, drift, alarms."""
        told = {
            "requests": f"{self.requests:,} since the last look",
            "errors": self.error_rate,
            "latency": None if self.p95_ms is None else f"95 of 100 within {self.p95_ms:g} ms",
            "accuracy": self.accuracy,
            "drift": self.drift and self.drift.words,
            "alarms": ", ".join(self.alarms) or "none",
        }
        return "\n".join(f"{name:9} {value}" for name, value in told.items() if value is not None)
