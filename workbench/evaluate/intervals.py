"""How sure one may be of an accuracy, and of the difference of two on the same samples."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

from workbench.core.errors import BadInputError
from workbench.core.records import Proportion


class PairedDrop(NamedTuple):
    """Accuracy of the first model minus the second's, with the ends of its interval; all in [−1, 1]."""

    drop: float
    low: float
    high: float


def wilson(successes: int, total: int, level: float = 0.95) -> Proportion:
    """Return a share of successes with Wilson's score interval.

    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927). Unlike the
    textbook interval it stays inside [0, 1] and is honest near 100 %.

    Raises:
        BadInputError: There are no trials, or more successes than trials.
    """
    if total < 1:
        raise BadInputError.of("total", rule="must be at least 1", got=total)
    if not 0 <= successes <= total:
        raise BadInputError.of("successes", rule=f"must be in 0…{total}", got=successes)
    z = _z(level)
    share = successes / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + (z / (2 * total)) ** 2)
    return Proportion(
        value=share,
        # Rounding must not put an end on the wrong side of the share or of [0, 1].
        low=max(0.0, min(middle - half, share)),
        high=min(1.0, max(middle + half, share)),
        successes=successes,
        total=total,
        level=level,
    )


def paired_drop(correct_a: str, correct_b: str, level: float = 0.95) -> PairedDrop:
    """Return how much accuracy is lost from model a to model b on the same samples, with its interval.

    The adjusted Wald interval for matched pairs of Bonett & Price, "Adjusted Wald confidence interval for a
    difference of binomial proportions based on paired data", J. Educ. Behav. Stat. 37 (2012), eq. 3; with
    n01, n10 the samples on which only one model is right and ~p = (n + 1) / (total + 2):
    ~p10 − ~p01 ± z √((~p10 + ~p01 − (~p10 − ~p01)²) / (total + 2)).

    Args:
        correct_a: "1" or "0" a sample, whether the baseline was right (`Evaluation.correct`).
        correct_b: The same of the other model.
        level: Confidence level.

    Raises:
        BadInputError: The vectors are empty or differ in length.
    """
    lost, gained = discordant(correct_a, correct_b)
    total = len(correct_a)
    p_lost, p_gained = (lost + 1) / (total + 2), (gained + 1) / (total + 2)
    middle = p_lost - p_gained
    half = _z(level) * math.sqrt((p_lost + p_gained - middle * middle) / (total + 2))
    return PairedDrop((lost - gained) / total, max(-1.0, middle - half), min(1.0, middle + half))


def mcnemar(correct_a: str, correct_b: str) -> float:
    """Return the exact two-sided p-value of "both models are equally often right".

    McNemar's test in its exact form: of the samples on which only one model is right, each falls to either with
    probability ½ (binomial). Small means that the difference is no accident.

    Raises:
        BadInputError: The vectors are empty or differ in length.
    """
    lost, gained = discordant(correct_a, correct_b)
    pairs = lost + gained
    # Logarithms, because ½ to the power of some thousand pairs is no float.
    log_terms = (_log_choose(pairs, k) - pairs * math.log(2) for k in range(min(lost, gained) + 1))
    return min(1.0, 2 * math.fsum(math.exp(term) for term in log_terms))


def discordant(correct_a: str, correct_b: str) -> tuple[int, int]:
    """Count the samples on which only a is right and those on which only b is.

    Raises:
        BadInputError: The vectors are empty or differ in length.
    """
    if not correct_a or len(correct_a) != len(correct_b):
        raise BadInputError.of(
            "correct_b",
            rule="must be as long as correct_a, and neither empty",
            got=f"{len(correct_b)} and {len(correct_a)}",
            hint="evaluate both models on the same split",
        )
    pairs = list(zip(correct_a, correct_b, strict=True))
    return pairs.count(("1", "0")), pairs.count(("0", "1"))


def _z(level: float) -> float:
    if not 0 < level < 1:
        raise BadInputError.of("level", rule="must be between 0 and 1", got=level)
    return NormalDist().inv_cdf((1 + level) / 2)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
