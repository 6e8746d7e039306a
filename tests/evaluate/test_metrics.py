import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from workbench.core.errors import BadInputError
from workbench.core.records import Evaluation
from workbench.evaluate.metrics import as_probabilities, evaluation_of

FACTS = {"model": "m", "dataset": "toy", "checksum": "c"}


def _score(outputs: object, labels: object, classes: tuple[str, ...] = ("a", "b", "c")) -> Evaluation:
    return evaluation_of(outputs, labels, classes=classes, **FACTS)  # type: ignore[arg-type]


def test_scores_of_a_hand_counted_example() -> None:
    outputs = [[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.1, 0.2, 0.7]]
    result = _score(outputs, [0, 1, 1, 2])
    assert result.accuracy.value == 0.75
    assert result.correct == "1011"
    assert result.confusion == ((1, 0, 0), (1, 1, 0), (0, 0, 1))
    a, b, c = result.classes
    assert (a.precision, a.recall, a.support) == (0.5, 1.0, 1)
    assert (b.precision, b.recall, b.f1) == (1.0, 0.5, pytest.approx(2 / 3))
    assert c.f1 == 1.0
    assert result.log_loss == pytest.approx(-np.log([0.8, 0.3, 0.7, 0.7]).mean())


def test_a_class_without_samples_scores_zero_and_does_not_warn() -> None:
    result = _score([[1.0, 0.0, 0.0]], [0])
    assert [each.recall for each in result.classes] == [1.0, 0.0, 0.0]


def test_calibration_error_of_a_boaster() -> None:
    outputs = np.tile([0.9, 0.1], (10, 1))
    result = _score(outputs, [0] * 6 + [1] * 4, ("a", "b"))
    assert result.calibration_error == pytest.approx(0.3)
    (only,) = result.calibration
    assert (only.count, only.accuracy) == (10, 0.6)
    assert only.low <= 0.9 < only.high


def test_full_confidence_belongs_to_the_last_bin() -> None:
    (only,) = _score([[1.0, 0.0]], [0], ("a", "b")).calibration
    assert only.high == 1.0


@given(arrays(np.float64, st.tuples(st.integers(1, 30), st.integers(2, 6)), elements=st.floats(-30, 30)))
def test_any_finite_output_becomes_probabilities_with_the_same_label(values: np.ndarray) -> None:
    probabilities = as_probabilities(values)
    assert probabilities.sum(axis=1) == pytest.approx(1)
    assert probabilities.min() >= 0
    rows = np.arange(len(values))
    # Softmax saturates: the largest output has the largest probability, though perhaps not alone.
    assert np.allclose(probabilities[rows, values.argmax(axis=1)], probabilities.max(axis=1))


@given(st.integers(1, 200).flatmap(lambda n: arrays(np.int64, n, elements=st.integers(0, 3))), st.integers(0, 9))
def test_confusion_and_correct_agree(labels: np.ndarray, seed: int) -> None:
    outputs = np.random.default_rng(seed).dirichlet(np.ones(4), len(labels))
    result = _score(outputs, labels, ("a", "b", "c", "d"))
    confusion = np.array(result.confusion)
    assert confusion.sum() == len(labels)
    assert np.trace(confusion) == result.correct.count("1") == result.accuracy.successes
    assert sum(each.count for each in result.calibration) == len(labels)
    assert 0 <= result.calibration_error <= 1


def test_quantised_probabilities_are_not_taken_for_logits() -> None:
    # int8 outputs come in steps of 1/256 and need not add to 1.
    quantised = [[0.98828125, 0.00390625, 0.0], [0.34375, 0.33203125, 0.33203125]]
    assert as_probabilities(quantised)[0, 0] == pytest.approx(0.996, abs=1e-3)


def test_logits_and_binary_heads_are_understood() -> None:
    assert as_probabilities([[2.0, -2.0]])[0, 0] == pytest.approx(1 / (1 + np.exp(-4)))
    assert as_probabilities([[0.25]]).tolist() == [[0.75, 0.25]]
    assert as_probabilities([[-3.0]])[0, 1] == pytest.approx(1 / (1 + np.exp(3)))


@pytest.mark.parametrize(
    ("outputs", "labels", "named"),
    [
        ([[0.5, 0.5]], [0], "one column for each of the dataset's 3 classes"),
        ([[0.2, 0.3, 0.5]], [0, 1], "labels must be 1"),
        ([[0.2, 0.3, 0.5]], [3], r"labels\[0\] must be in 0…2"),
        ([[0.2, float("nan"), 0.5]], [0], r"outputs\[0\] must be finite"),
        ([0.1, 0.9], [0], "shape"),
    ],
)
def test_what_does_not_fit_is_named(outputs: object, labels: object, named: str) -> None:
    with pytest.raises(BadInputError, match=named):
        _score(outputs, labels)
