import numpy as np
import pytest

from workbench.core.errors import BadInputError, GateFailedError
from workbench.core.records import Evaluation, Latency, Sizes
from workbench.core.settings import describe
from workbench.evaluate.gate import Gate
from workbench.evaluate.metrics import evaluation_of


def _evaluation(wrong: int, checksum: str = "c", total: int = 1000) -> Evaluation:
    labels = np.arange(total) % 2
    answers = labels.copy()
    answers[: 2 * wrong : 2] = 1  # only class a suffers
    return evaluation_of(np.eye(2)[answers], labels, classes=("a", "b"), model="m", dataset="toy", checksum=checksum)


SIZES = Sizes(raw=1000, gzip=600)
LATENCY = Latency(runtime="onnx", batch=1, threads=1, runs=9, warmup_ms=5, p50_ms=1, p95_ms=2, p99_ms=3)


def test_every_rule_has_a_line_with_a_sentence() -> None:
    rules = {each.name: 1 if each.name.endswith("bytes") else 0.5 for each in describe(Gate)}
    verdict = Gate(**rules).check(_evaluation(20), _evaluation(10), SIZES, LATENCY)
    assert [line.rule for line in verdict.lines] == list(rules)
    assert all(line.value is not None and line.reason.endswith(".") for line in verdict.lines)


def test_a_gate_that_holds() -> None:
    gate = Gate(min_accuracy=0.97, max_drop=0.01, max_bytes=1000, max_p95_ms=2, worst_class_recall=0.9)
    verdict = gate.require(_evaluation(20), _evaluation(10), SIZES, LATENCY)
    assert verdict.passed
    assert verdict.reasons == "all rules hold"
    assert verdict.lines[0].reason == "Accuracy on toy (test) is at least 97.00 %: 98.00 %."


def test_a_gate_that_fails_says_which_rule_and_by_how_much() -> None:
    gate = Gate(min_accuracy=0.99, max_drop=0.005, max_gzip_bytes=500, worst_class_recall=0.97)
    verdict = gate.check(_evaluation(20), _evaluation(10), SIZES)
    assert not verdict.passed
    assert "Accuracy on toy (test) must be at least 99.00 %, got 98.00 %." in verdict.reasons
    assert "Accuracy lost against the baseline must be at most 0.50 points, got 1.00 points." in verdict.reasons
    assert "must be at most 500 bytes, got 600 bytes" in verdict.reasons
    assert "worst class (a) must be at least 97.00 %, got 96.00 %" in verdict.reasons
    with pytest.raises(GateFailedError, match=r"got 98\.00 %"):
        gate.require(_evaluation(20), _evaluation(10), SIZES)


def test_what_was_not_measured_does_not_pass() -> None:
    verdict = Gate(max_drop=0.5, max_bytes=10**9, max_p95_ms=1e3).check(_evaluation(0))
    assert [line.passed for line in verdict.lines] == [False, False, False]
    assert [line.value for line in verdict.lines] == [None, None, None]
    assert "max_drop asks for at most 50.00 points but it was not measured; give the baseline" in verdict.reasons


def test_the_upper_end_of_the_drop_is_stricter_than_the_drop() -> None:
    verdict = Gate(max_drop=0.01, max_drop_high=0.01).check(_evaluation(20), _evaluation(10))
    assert [line.passed for line in verdict.lines] == [True, False]


def test_no_rule_is_no_objection() -> None:
    assert Gate().check(_evaluation(500)).passed


def test_a_baseline_on_other_samples_is_refused() -> None:
    with pytest.raises(BadInputError, match="same samples"):
        Gate(max_drop=0.01).check(_evaluation(1), _evaluation(1, checksum="other"))


def test_a_limit_out_of_range_is_refused() -> None:
    with pytest.raises(BadInputError, match=r"min_accuracy must be at most 1, got 98\.8"):
        Gate(min_accuracy=98.8)
