from typing import Any

import pytest

from workbench.core.records import ClassChange, Damage, LayerError, Proportion, Sensitivity, SensitivityCell
from workbench.figures.damage import damage
from workbench.figures.sensitivity import sensitivity

ACCURACY = Proportion(value=0.75, low=0.6, high=0.9, successes=6, total=8)


@pytest.fixture
def scan() -> Sensitivity:
    def cell(layer: str, setting: str, drop: float) -> SensitivityCell:
        return SensitivityCell(
            layer=layer, setting=setting, sparsity=None, weight_bits=None, accuracy=ACCURACY,
            drop=drop, drop_low=drop - 0.1, drop_high=drop + 0.1,
        )  # fmt: skip

    return Sensitivity(
        layers=("conv", "depthwise"), settings=("0.5 zeros", "4 bits"), parent_accuracy=ACCURACY, images=8, total=80,
        seconds=1, unmapped={},
        cells=(cell("conv", "0.5 zeros", 0.25), cell("conv", "4 bits", -0.01), cell("depthwise", "4 bits", 0.5)),
    )  # fmt: skip


def loss(**changes: Any) -> Damage:
    change = ClassChange(
        label="cat", support=4, recall_before=1, recall_after=0.5, drop=0.5, drop_low=0.1, drop_high=0.8, lost=2,
        gained=0,
    )  # fmt: skip
    layer = LayerError(layer="conv", operator="Conv", mse=0.1, snr_db=12, cosine=0.9)
    facts: dict[str, Any] = {
        "parent": "p", "variant": "v", "dataset": "d", "split": "test", "samples": 8, "drop": 0.25, "drop_low": 0,
        "drop_high": 0.5, "p_value": 0.5, "classes": (change,), "flips": (), "flipped": 2, "repaired": 0,
        "confidence_lost": 0.1, "layers": (layer, layer.model_copy(update={"layer": "same", "snr_db": None})),
        "layer_samples": 8, "unmatched": (),
    }  # fmt: skip
    return Damage(**{**facts, **changes})


def test_a_gain_has_no_colour_and_what_was_not_measured_no_cell(scan: Sensitivity) -> None:
    figure = sensitivity(scan)
    (cells,) = figure.data
    assert [list(row) for row in cells.z] == [[0.25, 0.0], [None, 0.5]]
    assert [list(row) for row in cells.text] == [["25.0", "-1.0"], ["", "50.0"]]
    assert "8 of 80 test samples" in figure.layout.title.text


def test_damage_shows_classes_and_layers() -> None:
    classes, layers = damage(loss()).data
    assert (list(classes.x), list(classes.y)) == (["cat"], [50])
    assert list(classes.error_y.arrayminus) == pytest.approx([40])
    # A layer without any error has no ratio to draw.
    assert (list(layers.x), list(layers.y)) == (["conv"], [12])


def test_damage_without_layers_is_one_picture() -> None:
    assert len(damage(loss(layers=())).data) == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_shines_through(scan: Sensitivity, theme: str) -> None:
    for figure in (sensitivity(scan, theme), damage(loss(), theme)):  # type: ignore[arg-type]
        assert figure.layout.paper_bgcolor == "rgba(0,0,0,0)"
