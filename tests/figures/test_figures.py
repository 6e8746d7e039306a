import pytest

from workbench.core.records import CalibrationBin, ClassScore, EpochPoint, Evaluation, LearningCurve, Proportion
from workbench.figures.calibration import calibration
from workbench.figures.confusion import confusion
from workbench.figures.learning_curve import learning_curve

ACCURACY = Proportion(value=0.75, low=0.6, high=0.9, successes=6, total=8)


@pytest.fixture
def evaluation() -> Evaluation:
    return Evaluation(
        model="m", dataset="d", checksum="c", split="test", accuracy=ACCURACY, log_loss=0.5, calibration_error=0.1,
        classes=tuple(ClassScore(label=x, precision=1, recall=1, f1=1, support=4) for x in ("cat", "dog")),
        confusion=((3, 1), (1, 3)), correct="11101110",
        calibration=(
            CalibrationBin(low=0, high=0.5, confidence=0, accuracy=0, count=0),
            CalibrationBin(low=0.5, high=1, confidence=0.9, accuracy=0.75, count=8),
        ),
    )  # fmt: skip


def points(val_loss: float | None) -> tuple[EpochPoint, ...]:
    return tuple(
        EpochPoint(
            epoch=i, loss=1 / i, accuracy=0.5, val_loss=val_loss, val_accuracy=val_loss, seconds=1, learning_rate=1
        )
        for i in (1, 2)
    )


def test_a_curve_shows_validation_only_where_there_is_one() -> None:
    with_validation = learning_curve(LearningCurve(label="docs", points=points(0.3), best_epoch=2))
    without = learning_curve(LearningCurve(label="docs", points=points(None)))
    assert {t.name for t in with_validation.data} == {"training", "validation"}
    assert {t.name for t in without.data} == {"training"}
    assert [s.x0 for s in with_validation.layout.shapes] == [2, 2]
    assert list(without.data[1].y) == [1, 0.5]


def test_confusion_is_coloured_by_share_and_labelled_by_count(evaluation: Evaluation) -> None:
    (cells,) = confusion(evaluation).data
    assert [list(row) for row in cells.z] == [[0.75, 0.25], [0.25, 0.75]]
    assert [list(row) for row in cells.text] == [["3", "1"], ["1", "3"]]
    assert list(cells.x) == ["cat", "dog"]


def test_calibration_leaves_empty_bins_out(evaluation: Evaluation) -> None:
    _, measured = calibration(evaluation).data
    assert (list(measured.x), list(measured.y)) == ([0.9], [0.75])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_figure_lets_the_page_shine_through(evaluation: Evaluation, theme: str) -> None:
    layout = confusion(evaluation, theme).layout  # type: ignore[arg-type]
    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0,0,0,0)"
