"""Figures that follow their sliders: what they say is what the formulas give."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
import pytest

import workbench as wb
from workbench.core import language
from workbench.core.errors import BadInputError
from workbench.lessons import FIGURES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.lessons.live_figure import LiveFigure


@pytest.fixture
def chinese() -> Iterator[None]:
    language.set_language("zh_CN")
    yield
    language.set_language("en")


def moved(name: str, **values: float) -> LiveFigure:
    figure = wb.figure(name)
    figure.move(**values)
    return figure


def ends(slider: dict[str, Any]) -> tuple[float, float]:
    if "stops" in slider:
        return slider["stops"][0]["value"], slider["stops"][-1]["value"]
    return slider["low"], slider["high"]


@pytest.mark.parametrize("name", FIGURES.names())
def test_plotly_takes_each_figure_at_both_ends_of_each_slider(name: str) -> None:
    figure = wb.figure(name)
    for slider in figure.sliders.sliders:
        for end in ends(slider):
            figure.move(**{slider["name"]: end})
            go.Figure(json.loads(figure.figure.figure))
            assert all(math.isfinite(value) for value in figure.numbers.values())
    assert figure.figure.rows


@pytest.mark.parametrize("name", FIGURES.names())
@pytest.mark.usefixtures("chinese")
def test_each_speaks_chinese(name: str) -> None:
    figure = wb.figure(name)
    shown = FIGURES.get(name)
    assert figure.figure.title != shown.title
    for slider, told in zip(shown.sliders, figure.sliders.sliders, strict=True):
        assert told["label"] != slider["label"]


def test_a_hand_on_the_page_moves_the_figure() -> None:
    figure = wb.figure("neuron")
    drawn = figure.figure.figure
    message = {"type": "input", "name": "weight", "value": 2.0, "generation": 1}
    figure.sliders._handle_custom_msg(message, [])
    assert figure.numbers["z"] == pytest.approx(2 * 1 - 0.5)
    assert figure.told.startswith("z = w·x + b = 2.0·1.0 + -0.5 = 1.50; a = σ(z) = 0.818")
    assert figure.sliders.answered == 1
    assert figure.figure.figure != drawn


def test_the_slope_of_the_sigmoid_is_that_of_differences() -> None:
    near = [moved("neuron", input=1, weight=1, bias=b).numbers["a"] for b in (0.499, 0.501)]
    assert moved("neuron", input=1, weight=1, bias=0.5).numbers["σ′(z)"] == pytest.approx(
        (near[1] - near[0]) / 0.002, rel=1e-5
    )


def test_the_network_says_the_same_slopes_as_tensorflow(workspace: wb.Workspace) -> None:
    figure = moved("network", way=1, x1=0.7, x2=-1.2, target=0.25)
    hidden = wb.Layer(kernel=[[0.8, -0.6], [0.5, 0.9]], bias=[0.1, -0.2], activation="sigmoid")
    out = wb.Layer(kernel=[[1.2], [-0.7]], bias=[0.1], activation="sigmoid")
    found = wb.gradients([hidden, out], [[0.7, -1.2]], [[0.25]], "half_squared_error", workspace=workspace)
    assert figure.numbers["y′"] == pytest.approx(found.outputs[1].item())
    assert figure.numbers["J"] == pytest.approx(found.loss)
    assert figure.numbers["∂J/∂z"] == pytest.approx(found.deltas[1].item())
    assert [figure.numbers[name] for name in ("∂J/∂z₁", "∂J/∂z₂")] == pytest.approx(found.deltas[0].ravel())
    notes = [note["text"] for note in json.loads(figure.figure.figure)["layout"]["annotations"]]
    for slope in (*found.kernels[0].ravel(), *found.kernels[1].ravel()):
        assert f"{slope:.3f}" in notes


def test_a_weight_comes_near_or_runs_away_by_its_rate() -> None:
    assert moved("weight_update", rate=0.5, steps=1, start=-1).numbers["w"] == pytest.approx(-1 - 0.5 * (-1 - 2))
    assert moved("weight_update", rate=0.5, steps=15).numbers["J"] < 1e-6
    assert moved("weight_update", rate=2.2, steps=15).numbers["J"] > 100


def test_a_window_gives_the_sum_of_its_products_and_the_output_has_it() -> None:
    figure = moved("convolution", row=3, column=2, kernel=1)
    image, _products, output = (np.array(one["z"]) for one in json.loads(figure.figure.figure)["data"])
    kernel = np.array([[1, 1, 1], [0, 0, 0], [-1, -1, -1]])
    assert figure.numbers["Σ"] == pytest.approx((image[3:6, 2:5] * kernel).sum())
    assert output[3, 2] == pytest.approx(figure.numbers["Σ"])


def test_cross_entropy_is_minus_the_logarithm_of_what_was_right() -> None:
    assert moved("cross_entropy", label=1, share=0.2).numbers["J"] == pytest.approx(-math.log(0.2))
    assert moved("cross_entropy", label=0, share=0.2).numbers["J"] == pytest.approx(-math.log(0.8))


def test_what_there_is_not_is_one_sentence() -> None:
    with pytest.raises(BadInputError, match="figure must be one of"):
        wb.figure("no_such")
    with pytest.raises(BadInputError, match="slider must be one of input, weight, bias"):
        moved("neuron", slope=1)
    with pytest.raises(BadInputError, match="weight must be where its slider can stand"):
        moved("neuron", weight=99)
    with pytest.raises(BadInputError, match="kernel must be where"):
        moved("convolution", kernel=7)
