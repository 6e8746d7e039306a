"""When a difference counts as drift."""

from __future__ import annotations

from pydantic import Field

from workbench.core.settings import Settings

_DAY = 86_400


class DriftSettings(Settings):
    """How requests are compared with the reference."""

    window: int = Field(default=250, ge=20, le=100_000, description="samples that are compared at once")
    stride: int = Field(
        default=125, ge=1, le=100_000, description="new samples from one comparison to the next, at most a window's"
    )
    min_sample: int = Field(
        default=50, ge=20, le=100_000, description="samples that a window that is overdue must have"
    )
    min_seconds: float = Field(
        default=0.1, ge=0, le=_DAY, description="seconds from one comparison to the next at least; between them none is"
    )
    window_seconds: float = Field(
        default=3600, gt=0, le=30 * _DAY, description="seconds after which a window is compared before it is full"
    )
    false_alarms_a_day: float = Field(
        default=0.5, gt=0, le=100, description="false alarms a day where nothing drifts, at most, on average"
    )
    most_level: float = Field(
        default=1e-3,
        gt=0,
        le=0.1,
        description="chance of a false alarm a window, at most, however few windows a day has",
    )
    tolerance: float = Field(
        default=0.1, ge=0, lt=1, description="distance of two distributions (Kolmogorov's) that does not matter yet"
    )
    class_tolerance: float = Field(
        default=0.2, ge=0, le=10, description="difference of class shares (Cohen's w) that does not matter yet"
    )
    components: int = Field(default=8, ge=1, le=32, description="principal components of the sketch that are compared")
    inputs: bool = Field(default=True, description="compare each value of the sketch")
    embedding: bool = Field(default=True, description="compare its principal components and what they leave over")
    predictions: bool = Field(default=True, description="compare how often each class is answered")
    confidence: bool = Field(default=True, description="compare how sure the answers are")

    @property
    def kept(self) -> int:
        """Samples of a window that are part of the next one too."""
        return self.window - min(self.stride, self.window)

    @property
    def least(self) -> int:
        """Samples that a window that is overdue must have."""
        return min(self.min_sample, self.window)

    @property
    def families(self) -> tuple[str, ...]:
        """What is compared."""
        asked = {
            "input": self.inputs, "embedding": self.embedding,
            "predictions": self.predictions, "confidence": self.confidence,
        }  # fmt: skip
        return tuple(name for name, wanted in asked.items() if wanted)

    def level(self, seconds: float) -> float:
        """Return the chance of a false alarm that one family of one window may have.

        The budget of a day is spent by time, so that at most as many false alarms come in a day as were allowed, on
        average, whether it has ten windows or ten thousand, and however they overlap; families share it alike
        (Bonferroni).

        Args:
            seconds: From the end of the window before to the end of this one.
        """
        spent = self.false_alarms_a_day * max(seconds, 1e-3) / _DAY
        return min(spent, self.most_level) / max(len(self.families), 1)
