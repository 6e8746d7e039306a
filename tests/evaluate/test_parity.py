import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.errors import ParityError
from workbench.core.records import Parity
from workbench.evaluate.parity import Tolerance, parity, require_parity

ROWS = np.random.default_rng(0).dirichlet(np.ones(5), 200)


def _compare(target: np.ndarray, tolerance: Tolerance | None = None) -> Parity:
    tolerance = tolerance or Tolerance.default("float32")
    return parity(ROWS, target, source="tf_keras/float32", target="onnx/float32", tolerance=tolerance)


@given(st.floats(0, 1e-2))
def test_float_passes_up_to_its_tolerance(shift: float) -> None:
    result = _compare(ROWS + shift)
    assert result.passed == (result.max_abs <= 1e-4)
    assert result.max_abs == pytest.approx(shift, abs=1e-9)


def test_the_worst_sample_is_named() -> None:
    tampered = ROWS.copy()
    tampered[17, 2] += 0.3
    result = _compare(tampered)
    assert result.worst == 17
    with pytest.raises(ParityError, match="worst: number 17"):
        require_parity(result)


def test_quantised_models_are_judged_by_their_labels() -> None:
    tolerance = Tolerance.default("int8")
    assert require_parity(_compare(ROWS * 0.9, tolerance)).agreement == 1.0
    few = ROWS.copy()
    few[:3] = np.roll(few[:3], 1, axis=1)
    with pytest.raises(ParityError, match=r"99.0% of the labels equal\), got 98.5% equal"):
        require_parity(_compare(few, tolerance))


@pytest.mark.parametrize("wrong", [0.0, 0.2, 0.015])
@pytest.mark.parametrize("shift", [0.0, 2.5e-4, 0.0949, 0.99])
def test_a_refusal_names_the_settings_with_which_it_would_pass(shift: float, wrong: float) -> None:
    other = ROWS + shift
    rows = int(wrong * len(ROWS))
    other[:rows] = np.roll(other[:rows], 1, axis=1)
    result = _compare(other)
    if result.passed:
        return
    with pytest.raises(ParityError, match="or widen the tolerance knowingly with") as refused:
        require_parity(result)
    named = dict(re.findall(r"(min_agreement|max_abs)=([\d.e-]+)", str(refused.value)))
    assert ("min_agreement" in named) == (result.agreement < 0.99)
    given = {name: float(value.rstrip(".")) for name, value in named.items()}
    assert require_parity(_compare(other, Tolerance.default("float32").replace(**given)))


def test_nan_and_another_shape_never_pass() -> None:
    broken = ROWS.copy()
    broken[3, 0] = np.nan
    refused = _compare(broken, Tolerance.default("int8"))
    with pytest.raises(ParityError, match="do not use it, for its outputs are not finite"):
        require_parity(refused)
    with pytest.raises(ParityError, match="shape"):
        _compare(ROWS[:, :4])


def test_a_tie_counts_as_the_share_that_chance_gives_it() -> None:
    undecided = ROWS.copy()
    top = np.sort(ROWS[0])[::-1]
    undecided[0] = np.where(np.isin(ROWS[0], top[:2]), 0.5, 0.0)
    assert _compare(undecided, Tolerance.default("int8")).agreement == pytest.approx(1 - 0.5 / len(ROWS))
    assert _compare(np.full_like(ROWS, 0.2), Tolerance.default("int8")).agreement == pytest.approx(0.2)


def test_probabilities_and_logits_are_told_apart() -> None:
    logits = np.random.default_rng(1).normal(0, 3, (200, 5))
    shifted = logits + np.where(np.arange(5) == 0, 0.5, 0.0)

    def softmax(values: np.ndarray) -> np.ndarray:
        powers = np.exp(values)
        return powers / powers.sum(axis=1, keepdims=True)

    tolerance = Tolerance.default("int8")
    of_logits = parity(logits, shifted, source="a", target="b", tolerance=tolerance)
    of_probabilities = parity(softmax(logits), softmax(shifted), source="a", target="b", tolerance=tolerance)
    assert of_logits.logits_max_abs == pytest.approx(0.5)
    assert of_logits.probabilities_max_abs == pytest.approx(of_probabilities.max_abs)
    # A softmax forgets what is added to a whole row: the row's mean is taken away on both sides.
    assert of_probabilities.logits_max_abs == pytest.approx(0.4, abs=1e-3)
    assert of_probabilities.probabilities_mean_abs == of_probabilities.mean_abs


def test_a_binary_head_of_logits_changes_its_label_at_zero() -> None:
    ours, theirs = np.array([[-3.0], [0.2], [4.0]]), np.array([[-3.0], [-0.2], [4.0]])
    result = parity(ours, theirs, source="a", target="b", tolerance=Tolerance.default("int8"))
    assert result.agreement == pytest.approx(2 / 3)
    assert result.probabilities_max_abs == pytest.approx(1 / (1 + np.exp(-0.2)) - 1 / (1 + np.exp(0.2)))


def test_what_is_undecided_in_the_very_same_way_agrees() -> None:
    tied = np.array([[0.5, 0.5, 0.0], [0.25, 0.25, 0.5]])
    assert parity(tied, tied, source="a", target="b", tolerance=Tolerance.default("int8")).agreement == 1.0
