"""LeNet-5 (Y. LeCun et al., Gradient-based learning applied to document recognition, 1998)."""

from __future__ import annotations

from typing import Any, ClassVar

from workbench.train.architectures.base import Architecture
from workbench.train.architectures.tally import Tally


class LeNet5(Architecture):
    """The classic, with tanh and average pools as then and a softmax as now: 61,706 parameters on MNIST."""

    title: ClassVar[str] = "LeNet-5"
    smallest_side: ClassVar[int] = 12

    def layers(self, classes: int) -> list[Any]:
        """Return its layers; the first convolution pads, which stands for the paper's 32x32 frame."""
        from tf_keras import layers

        return [
            layers.Conv2D(6, 5, padding="same", activation="tanh", name="conv1"),
            layers.AveragePooling2D(name="pool1"),
            layers.Conv2D(16, 5, activation="tanh", name="conv2"),
            layers.AveragePooling2D(name="pool2"),
            layers.Flatten(name="flatten"),
            layers.Dense(120, activation="tanh", name="dense1"),
            layers.Dense(84, activation="tanh", name="dense2"),
            layers.Dense(classes, activation="softmax", name="probabilities"),
        ]

    def parameters(self, shape: tuple[int, ...], classes: int) -> int:
        """Return how many weights and biases it has; nothing is built."""
        return (
            Tally(shape).conv(6, 5, same=True).pool().conv(16, 5).pool().dense(120).dense(84).dense(classes).parameters
        )
