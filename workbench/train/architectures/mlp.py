"""A multilayer perceptron: the baseline that knows nothing of images."""

from __future__ import annotations

from typing import Any, ClassVar

from workbench.train.architectures.base import Architecture
from workbench.train.architectures.tally import Tally


class Mlp(Architecture):
    """One hidden layer of 128: 101,770 parameters on MNIST; takes samples of any shape, tables too."""

    title: ClassVar[str] = "MLP"
    any_shape: ClassVar[bool] = True
    smallest_side: ClassVar[int] = 1

    def layers(self, classes: int) -> list[Any]:
        """Return its layers."""
        from tf_keras import layers

        return [
            layers.Flatten(name="flatten"),
            layers.Dense(128, activation="relu", name="dense"),
            layers.Dense(classes, activation="softmax", name="probabilities"),
        ]

    def parameters(self, shape: tuple[int, ...], classes: int) -> int:
        """Return how many weights and biases it has; nothing is built."""
        return Tally(shape).dense(128).dense(classes).parameters
