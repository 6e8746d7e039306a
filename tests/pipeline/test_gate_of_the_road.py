from typing import Any

import pytest

from workbench.core.errors import BadInputError
from workbench.core.records import Evaluation, Proportion
from workbench.datasets import Dataset
from workbench.evaluate.gate import Gate
from workbench.pipeline.settings import RoadSettings, accuracy_rules, default_gate, training_rules
from workbench.pipeline.training import Attempt
from workbench.train.settings import TrainSettings


def test_the_default_gate_begins_where_the_dataset_says(digits: Dataset) -> None:
    gate = default_gate(digits)
    assert gate.min_accuracy == 0.9
    assert gate.max_drop == pytest.approx(5 / digits.test_size)


def test_a_training_is_not_judged_by_what_compression_costs() -> None:
    gate = Gate(min_accuracy=0.5, max_drop=0.0, max_drop_high=0.0, max_bytes=1, max_gzip_bytes=1, max_p95_ms=0.1)
    assert [line.rule for line in training_rules(gate).check(evaluation()).lines] == ["min_accuracy"]
    assert accuracy_rules(gate) == Gate(min_accuracy=0.5, max_drop=0.0, max_drop_high=0.0)


def evaluation() -> Evaluation:
    share = Proportion(value=0.9, low=0.8, high=1, successes=9, total=10)
    return Evaluation(
        model="m", dataset="d", checksum="c", split="test", accuracy=share, log_loss=0.3, calibration_error=0.1,
        classes=(), confusion=(), calibration=(), correct="1111111110",
    )  # fmt: skip


def test_a_failed_gate_means_more_epochs_first_then_the_better_recipe() -> None:
    second = Attempt("docs", None).stronger(5)
    assert (second.recipe, second.epochs, second.number) == ("docs", 10, 2)
    third = second.stronger(10)
    assert (third.recipe, third.epochs, third.number) == ("best", None, 3)
    assert third.stronger(5) == Attempt("best", 10, 4)


@pytest.mark.parametrize("values", [{"epochs": 501}, {"seed": 2**31}])
def test_a_road_takes_no_value_that_training_refuses(values: dict[str, Any]) -> None:
    with pytest.raises(BadInputError):
        RoadSettings.parse(values)
    with pytest.raises(BadInputError):
        TrainSettings.parse({"dataset": {}, **values})
