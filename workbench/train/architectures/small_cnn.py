"""A small convolutional network for quick trials."""

from __future__ import annotations

from typing import Any, ClassVar

from workbench.train.architectures.base import Architecture
from workbench.train.architectures.tally import Tally


class SmallCnn(Architecture):
    """Conv 8-16 3x3 with two max-pools, Dense 32, softmax: 14,410 parameters on MNIST."""

    title: ClassVar[str] = "Small CNN"
    smallest_side: ClassVar[int] = 10

    def layers(self, classes: int) -> list[Any]:
        """Return its layers."""
        from tf_keras import layers

        return [
            layers.Conv2D(8, 3, activation="relu", name="conv1"),
            layers.MaxPooling2D(name="pool1"),
            layers.Conv2D(16, 3, activation="relu", name="conv2"),
            layers.MaxPooling2D(name="pool2"),
            layers.Flatten(name="flatten"),
            layers.Dense(32, activation="relu", name="dense"),
            layers.Dense(classes, activation="softmax", name="probabilities"),
        ]

    def parameters(self, shape: tuple[int, ...], classes: int) -> int:
        """Return how many weights and biases it has; nothing is built."""
        return Tally(shape).conv(8, 3).pool().conv(16, 3).pool().dense(32).dense(classes).parameters
