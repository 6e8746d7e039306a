"""Does a model that says 90 % hold in 90 of 100 cases?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.core.records import CalibrationBin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def reliability(
    confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: int = 15
) -> tuple[CalibrationBin, ...]:
    """Group predictions by confidence into equally wide bins; empty ones are left out.

    Args:
        confidence: (samples,) largest probability of each prediction, in [0, 1].
        right: (samples,) whether its label was right.
        bins: How many, as in Guo et al., "On Calibration of Modern Neural Networks" (2017).
    """
    # A confidence of exactly 1 belongs to the last bin, which is closed.
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    return tuple(
        CalibrationBin(
            low=i / bins,
            high=(i + 1) / bins,
            confidence=float(confidence[index == i].mean()),
            accuracy=float(right[index == i].mean()),
            count=int((index == i).sum()),
        )
        for i in np.unique(index).tolist()
    )


def calibration_error(bins: Sequence[CalibrationBin]) -> float:
    """Return the expected calibration error: the bins' |accuracy − confidence|, weighted by their counts."""
    total = sum(each.count for each in bins)
    return sum(each.count * abs(each.accuracy - each.confidence) for each in bins) / total
