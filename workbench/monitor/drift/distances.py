"""Distances of two samples and how surprising they are; the distributions are scipy's.

`scipy.stats.ks_2samp` gives the same to the last digits, one column at a time; a window has a hundred columns and the
reference stays as it is, so it is sorted once.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_FEW = 5  # expected answers of a class below which chi-squared is no good approximation


def ks_distances(ordered: Array, window: Array) -> Array:
    """Return Kolmogorov and Smirnov's distance of each column: the largest difference of the distribution functions.

    Args:
        ordered: The reference, shape (m, columns), each column sorted.
        window: Shape (n, columns).
    """
    count, size = len(window), len(ordered)
    found = np.empty(window.shape[1])
    for column, values in enumerate(np.sort(window, axis=0).T):
        reference = ordered[:, column]
        up_to = values.searchsorted(values, "right") / count - reference.searchsorted(values, "right") / size
        before = reference.searchsorted(values, "left") / size - values.searchsorted(values, "left") / count
        found[column] = max(up_to.max(), before.max())
    return found


def ks_p_values(distances: Array, size: int, count: int, tolerance: float) -> Array:
    """Return how probable distances so large are where those of the whole populations are within a tolerance.

    A distance is at most the one of the populations and that of their samples together, so what is left over the
    tolerance is judged as `scipy.stats.ks_2samp` judges a distance (`asymp`).

    Args:
        distances: Shape (columns,).
        size: Samples of the reference.
        count: Samples of the window.
        tolerance: Distance of the populations that does not matter.
    """
    effective = np.round(size * count / (size + count))
    return np.asarray(_stats().kstwo.sf(np.maximum(distances - tolerance, 0), effective))


def class_surprise(before: Array, now: Array, tolerance: float) -> tuple[float, float]:
    """Return Pearson's chi-squared of two rows of counts, and how probable one so large is.

    Where the populations differ by Cohen's w, the statistic has a noncentral distribution with n w² (Cohen,
    "Statistical power analysis for the behavioral sciences", 1988, chapter 7). Rare classes are counted together.

    Args:
        before: Answers of the reference by class.
        now: Of the window.
        tolerance: The w that does not matter.
    """
    table = _without_rare(np.stack([before, now]).astype(float))
    if table.shape[1] < 2:  # noqa: PLR2004 - two columns make a table
        return 0.0, 1.0
    statistic = float(_stats().chi2_contingency(table, correction=False).statistic)
    effective = before.sum() * now.sum() / (before.sum() + now.sum())
    freedom, shift = table.shape[1] - 1, effective * tolerance**2
    law = _stats().ncx2(freedom, shift) if shift else _stats().chi2(freedom)
    return statistic, float(min(max(law.sf(statistic), 0.0), 1.0))


def holm(p_values: Array) -> Array:
    """Return p-values corrected for all of them together.

    Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6 (1979).
    """
    order = np.argsort(p_values)
    steps = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    found = np.empty_like(steps)
    found[order] = np.minimum(steps, 1)
    return found


def _without_rare(table: Array) -> Array:
    table = table[:, table.sum(axis=0) > 0]
    share = table.sum(axis=1).min() / table.sum()
    rare = table.sum(axis=0) * share < _FEW
    if not rare.any():
        return table
    together = table[:, rare].sum(axis=1, keepdims=True)
    kept = table[:, ~rare]
    if together.sum() * share >= _FEW or not kept.shape[1]:
        return np.concatenate([kept, together], axis=1)
    kept[:, [kept.sum(axis=0).argmin()]] += together
    return kept


def _stats() -> Any:
    return import_module("scipy.stats")  # half a second, which only those pay who compare
