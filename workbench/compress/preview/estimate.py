"""What fine-tuning would reach, read between points that were measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.core.errors import BadInputError
from workbench.core.records import Proportion
from workbench.core.records.preview import EstimatedAccuracy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def estimated(
    points: Sequence[tuple[float, Proportion | float]], at: float, *, what: str = "sparsity"
) -> EstimatedAccuracy:
    """Interpolate measured accuracies without ever leaving their range.

    Between two points the curve is monotone (the cubic of Fritsch & Carlson, "Monotone piecewise cubic interpolation",
    SIAM J. Numer. Anal. 17, 1980, as PCHIP has it), so it shows no dip or bump that no point shows.

    Args:
        points: Sparsities (or bytes) with the accuracy measured there, with its interval or without; several of the
            same place count as one, with their mean.
        at: Where to look.
        what: What the places are, for the sentence where there is no estimate.

    Raises:
        BadInputError: There is no point, or one is not finite.
    """
    if not points:
        raise BadInputError.of("points", rule="must be at least one measured point", got=0, hint="run a sweep first")
    rows = np.array([_row(place, accuracy) for place, accuracy in points], np.float64)
    if not np.isfinite(rows[:, :2]).all() or not np.isfinite(at):
        raise BadInputError.of("points", rule="must be finite", got=at if np.isfinite(rows[:, :2]).all() else points)
    places = np.unique(rows[:, 0])
    means = np.array([rows[rows[:, 0] == place, 1:].mean(axis=0) for place in places])
    count = len(rows)
    if not places[0] <= at <= places[-1]:
        text = (
            f"No estimate: {what} {at:g} lies outside the {count} measured "
            f"point{'s' * (count > 1)} ({places[0]:g} to {places[-1]:g})."
        )
        return EstimatedAccuracy(at=at, accuracy=None, low=None, high=None, points=count, text=text)
    value, low, high = (float(_monotone(places, column, at)) for column in means.T)
    return EstimatedAccuracy(
        at=at,
        accuracy=value,
        low=low if np.isfinite(low) else None,
        high=high if np.isfinite(high) else None,
        points=count,
        text=f"after fine-tuning, estimated from {count} point{'s' * (count > 1)}",
    )


def _row(place: float, accuracy: Proportion | float) -> tuple[float, float, float, float]:
    if isinstance(accuracy, Proportion):
        return place, accuracy.value, accuracy.low, accuracy.high
    return place, accuracy, np.nan, np.nan


def _monotone(places: NDArray[np.float64], values: NDArray[np.float64], at: float) -> float:
    if len(places) == 1:
        return float(values[0])
    steps = np.diff(places)
    slopes = np.diff(values) / steps
    tangents = np.concatenate([slopes[:1], _inner_tangents(steps, slopes), slopes[-1:]])
    left = int(np.clip(np.searchsorted(places, at, "right") - 1, 0, len(steps) - 1))
    width, t = steps[left], (at - places[left]) / steps[left]
    # Cubic Hermite polynomials.
    return float(
        values[left] * (1 + 2 * t) * (1 - t) ** 2
        + width * tangents[left] * t * (1 - t) ** 2
        + values[left + 1] * t**2 * (3 - 2 * t)
        + width * tangents[left + 1] * t**2 * (t - 1)
    )


def _inner_tangents(steps: NDArray[np.float64], slopes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weighted harmonic means of neighbouring slopes, 0 where the curve turns."""
    before, after = slopes[:-1], slopes[1:]
    first, second = 2 * steps[1:] + steps[:-1], steps[1:] + 2 * steps[:-1]
    same = before * after > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        means = (first + second) / (first / before + second / after)
    # NaN says that the points have no interval, and must stay to be seen.
    return np.where(same, means, np.where(np.isnan(before * after), np.nan, 0.0))
