"""Which axis matters: by variance for grids, by Optuna's own evaluator for searches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.sweep.metrics import value_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.core.records import SweepPoint


def by_variance(points: Sequence[SweepPoint], metric: str) -> dict[str, float]:
    """Return each axis' share of a metric's variance, largest first.

    The first-order effect η² of a one-way analysis of variance (Fisher 1925): the variance of the means of the
    points that share a value of the axis, each weighted by their number, divided by the variance of all points. In a
    full grid the shares add up to at most 1; what is missing are interactions and, with several seeds, chance. In a
    grid with gaps, as leaving steps out makes them, axes overlap and the shares may add up to more.

    Args:
        points: Measured ones; those without the metric are ignored.
        metric: Name of the metric.
    """
    rows = [(point.values, value) for point in points if (value := value_of(point, metric)) is not None]
    axes = dict.fromkeys(axis for values, _ in rows for axis in values)
    figures = np.array([value for _, value in rows], np.float64)
    total = float(figures.var()) if len(figures) else 0.0
    shares = {axis: _between([repr(values.get(axis)) for values, _ in rows], figures, total) for axis in axes}
    return dict(sorted(shares.items(), key=lambda each: -each[1]))


def _between(groups: Sequence[str], figures: np.ndarray, total: float) -> float:
    if total <= 0:
        return 0.0
    labels = np.array(groups)
    means = np.zeros_like(figures)
    for label in np.unique(labels):
        members = labels == label
        means[members] = figures[members].mean()
    return float(means.var() / total)
