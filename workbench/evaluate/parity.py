"""Does a converted model answer like its source?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from workbench.core.errors import BadInputError, ParityError
from workbench.core.records import Parity
from workbench.core.settings import Settings
from workbench.evaluate.metrics import are_probabilities, as_logits, as_probabilities

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_HALF = 0.5


class Tolerance(Settings):
    """How far outputs may lie apart."""

    max_abs: float | None = Field(
        None, gt=0, description="largest absolute difference of any output; none: only labels are compared"
    )
    min_agreement: float = Field(0.99, ge=0, le=1, description="least share of samples with the same label")

    @classmethod
    def default(cls, numeric: str) -> Tolerance:
        """Return the tolerance of a numeric type: 1e-4 for float32; quantised models are judged by label."""
        return cls(max_abs=1e-4 if numeric == "float32" else None)


def parity(
    source_outputs: ArrayLike,
    target_outputs: ArrayLike,
    *,
    source: str,
    target: str,
    tolerance: Tolerance,
) -> Parity:
    """Compare the outputs of two models for the same samples.

    Args:
        source_outputs: (samples, classes).
        target_outputs: The same of the converted model.
        source: Format and numeric type of the source (`Artifact.label`).
        target: The same of the converted model.
        tolerance: When the comparison counts as passed.

    Raises:
        BadInputError: There is nothing to compare.
        ParityError: The converted model's outputs have another shape.
    """
    ours, theirs = np.asarray(source_outputs, np.float64), np.asarray(target_outputs, np.float64)
    if ours.size == 0:
        raise BadInputError.of("samples", rule="must be at least one to compare outputs on", got=0)
    if ours.shape != theirs.shape:
        raise ParityError(f"{target} answers with shape {theirs.shape} where {source} answers {ours.shape}.")
    # A NaN on either side is as far apart as can be, and must not pass a comparison by being incomparable.
    distance = np.nan_to_num(np.abs(ours - theirs), nan=np.inf).reshape(len(ours), -1)
    rows, others = ours.reshape(len(ours), -1), theirs.reshape(len(theirs), -1)
    agreement = float(_agreement(rows, others).mean())
    largest = float(distance.max())
    close = tolerance.max_abs is None or largest <= tolerance.max_abs
    return Parity(
        source=source,
        target=target,
        samples=len(ours),
        max_abs=largest,
        mean_abs=float(distance.mean()),
        agreement=agreement,
        worst=int(distance.max(axis=1).argmax()),
        max_abs_limit=tolerance.max_abs,
        min_agreement=tolerance.min_agreement,
        passed=bool(close and agreement >= tolerance.min_agreement and np.isfinite(largest)),
        **(_apart(rows, others) if np.isfinite(largest) else {}),
    )


def _apart(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> dict[str, float]:
    """Return how far logits and probabilities lie apart; which of the two the outputs are, plays no part."""
    logits = np.abs(as_logits(ours) - as_logits(theirs)) if _same_kind(ours, theirs) else np.abs(ours - theirs)
    probabilities = np.abs(as_probabilities(ours) - as_probabilities(theirs))
    return {
        "logits_max_abs": float(logits.max()),
        "logits_mean_abs": float(logits.mean()),
        "probabilities_max_abs": float(probabilities.max()),
        "probabilities_mean_abs": float(probabilities.mean()),
    }


def _same_kind(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> bool:
    return are_probabilities(ours) == are_probabilities(theirs)


def require_parity(result: Parity) -> Parity:
    """Return a comparison that passed.

    Raises:
        ParityError: It did not; with the figures and the sample to look at.
    """
    if result.passed:
        return result
    limits = f"at least {result.min_agreement:.1%} of the labels equal"
    if result.max_abs_limit is not None:
        limits += f" and no output off by more than {result.max_abs_limit:g}"
    raise ParityError(
        f"{result.target} must answer like {result.source} ({limits}), got {result.agreement:.1%} equal labels "
        f"and outputs off by up to {result.max_abs:.3g} on {result.samples} samples (worst: number "
        f"{result.worst}); do not use it{_widened(result)}."
    )


def _widened(result: Parity) -> str:
    """Say with which settings it would pass, which are no more than what was measured takes."""
    if not np.isfinite(result.max_abs):
        return ", for its outputs are not finite"
    settings = []
    if result.agreement < result.min_agreement:
        settings.append(f"min_agreement={math.floor(100 * result.agreement) / 100:g}")
    if result.max_abs_limit is not None and result.max_abs > result.max_abs_limit:
        power = 10.0 ** math.floor(math.log10(result.max_abs))
        # One digit more than the first one says, since that one is cut off.
        settings.append(f"max_abs={(math.floor(result.max_abs / power) + 1) * power:.1g}")
    return f", or widen the tolerance knowingly with {' and '.join(settings)}"


def _agreement(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 for each sample where the label is the same, 0 where not, and a share where the target is undecided.

    Quantised outputs come in steps, so that two classes may end equal; which of k equal ones the target would be
    taken to mean is a matter of chance, and 1/k of the time it is the source's.
    """
    if ours.shape[1] == 1:  # a binary head: its label is the side of one half, or of 0 where it gives logits
        border = _HALF if not np.isfinite(ours).all() or are_probabilities(ours) else 0.0
        return np.asarray((ours[:, 0] > border) == (theirs[:, 0] > border), np.float64)
    largest = theirs == theirs.max(axis=1, keepdims=True)
    meant = largest[np.arange(len(ours)), ours.argmax(axis=1)]
    same = (ours == theirs).all(axis=1)  # undecided in the very same way
    return np.where(same, 1.0, meant / np.maximum(largest.sum(axis=1), 1))
