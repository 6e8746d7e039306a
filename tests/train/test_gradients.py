"""TensorFlow's gradients of a small network against the formulas, and against differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from workbench.core.errors import BadInputError
from workbench.train.gradients import Layer, gradients

if TYPE_CHECKING:
    from workbench.core.workspace import Workspace

RANDOM = np.random.default_rng(3)
X, Y = RANDOM.normal(size=(4, 3)), np.array([[0.0], [1.0], [1.0], [0.0]])
HIDDEN = Layer(kernel=RANDOM.normal(size=(3, 2)), bias=[0.1, -0.2], activation="sigmoid")
OUT = Layer(kernel=RANDOM.normal(size=(2, 1)), bias=[0.3], activation="sigmoid")


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def test_backpropagation_by_hand_is_what_tensorflow_finds(workspace: Workspace) -> None:
    found = gradients([HIDDEN, OUT], X, Y, "half_squared_error", workspace=workspace)
    hidden = sigmoid(X @ HIDDEN.kernel + HIDDEN.bias)
    out = sigmoid(hidden @ OUT.kernel + OUT.bias)
    delta_out = (out - Y) * out * (1 - out) / len(X)
    delta_hidden = delta_out @ np.transpose(OUT.kernel) * hidden * (1 - hidden)
    assert found.loss == pytest.approx(np.mean((out - Y) ** 2 / 2))
    np.testing.assert_allclose(found.outputs[1], out)
    np.testing.assert_allclose(found.deltas[1], delta_out)
    np.testing.assert_allclose(found.deltas[0], delta_hidden)
    np.testing.assert_allclose(found.kernels[0], X.T @ delta_hidden)
    np.testing.assert_allclose(found.biases[1], delta_out.sum(axis=0))


def test_with_cross_entropy_the_delta_of_a_sigmoid_is_the_difference_alone(workspace: Workspace) -> None:
    found = gradients([HIDDEN, OUT], X, Y, "binary_crossentropy", workspace=workspace)
    np.testing.assert_allclose(found.deltas[1], (found.outputs[1] - Y) / len(X))


def test_a_convolution_agrees_with_differences(workspace: Workspace) -> None:
    images, kernel = RANDOM.normal(size=(2, 5, 4, 1)), RANDOM.normal(size=(3, 2, 1, 2))
    labels = np.eye(3)[[0, 2]]
    dense = Layer(kernel=RANDOM.normal(size=(18, 3)), bias=np.zeros(3), activation="softmax")

    def layers(weights: np.ndarray) -> list[Layer]:
        return [Layer(kernel=weights, bias=[0.0, 0.1], activation="tanh"), dense]

    def loss(weights: np.ndarray) -> float:
        windows = np.lib.stride_tricks.sliding_window_view(images[..., 0], (3, 2), axis=(1, 2))
        hidden = np.tanh(np.einsum("nijab,abf->nijf", windows, weights[:, :, 0]) + np.array([0.0, 0.1]))
        scores = hidden.reshape(2, -1) @ dense.kernel
        return float(np.mean(np.log(np.exp(scores).sum(axis=1)) - (scores * labels).sum(axis=1)))

    found = gradients(layers(kernel), images, labels, "categorical_crossentropy", workspace=workspace)
    assert found.loss == pytest.approx(loss(kernel))
    step = np.zeros_like(kernel)
    step[1, 0, 0, 1] = 1e-6
    assert found.kernels[0][1, 0, 0, 1] == pytest.approx((loss(kernel + step) - loss(kernel - step)) / 2e-6, rel=1e-5)


@pytest.mark.parametrize(
    ("layers", "x", "y", "sentence"),
    [
        ([OUT], X, Y, "layers must take what comes before"),
        ([HIDDEN], X, Y, r"y must have the shape of the outputs, \(4, 2\), got \(4, 1\)"),
        ([Layer(kernel=np.ones((3, 3, 1, 1)), bias=[0])], np.ones((1, 2, 5, 1)), Y, "no larger than the image"),
        ([HIDDEN], np.ones((50_000, 3)), np.ones((50_000, 2)), "no more than 100,000 numbers"),
    ],
)
def test_what_does_not_fit_is_one_sentence(layers: list[Layer], x: np.ndarray, y: np.ndarray, sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        gradients(layers, x, y, "half_squared_error")


def test_a_layer_says_what_is_wrong_with_its_weights() -> None:
    with pytest.raises(BadInputError, match="kernel must have 2 axes, or 4 for a convolution"):
        Layer(kernel=[1.0, 2.0], bias=[0.0])
    with pytest.raises(BadInputError, match="bias must have 2 numbers, one a unit, got 1"):
        Layer(kernel=[[1.0, 2.0]], bias=[0.0])
