"""The network of the documents' worked example."""

from __future__ import annotations

from typing import Any, ClassVar

from workbench.train.architectures.base import Architecture
from workbench.train.architectures.tally import Tally


class DocsCnn(Architecture):
    """Conv 32-64-64 3x3 with two max-pools, Dense 64, softmax: 93,322 parameters on 28x28x1 and 10 classes."""

    title: ClassVar[str] = "Docs CNN"
    smallest_side: ClassVar[int] = 18

    def layers(self, classes: int) -> list[Any]:
        """Return its layers."""
        from tf_keras import layers

        return [
            layers.Conv2D(32, 3, activation="relu", name="conv1"),
            layers.MaxPooling2D(name="pool1"),
            layers.Conv2D(64, 3, activation="relu", name="conv2"),
            layers.MaxPooling2D(name="pool2"),
            layers.Conv2D(64, 3, activation="relu", name="conv3"),
            layers.Flatten(name="flatten"),
            layers.Dense(64, activation="relu", name="dense"),
            layers.Dense(classes, activation="softmax", name="probabilities"),
        ]

    def parameters(self, shape: tuple[int, ...], classes: int) -> int:
        """Return how many weights and biases it has; nothing is built."""
        return Tally(shape).conv(32, 3).pool().conv(64, 3).pool().conv(64, 3).dense(64).dense(classes).parameters
