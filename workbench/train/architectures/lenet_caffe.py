"""LeNet-5 as Caffe shipped it: the network whose compression the papers report."""

from __future__ import annotations

from typing import Any, ClassVar

from workbench.train.architectures.base import Architecture
from workbench.train.architectures.tally import Tally


class LeNetCaffe(Architecture):
    """Conv 20-50 5x5 with two max-pools, Dense 500, softmax: 431,080 parameters on MNIST.

    The LeNet-5 of Han, Mao & Dally, "Deep Compression" (2016), and of most papers on pruning since.
    """

    title: ClassVar[str] = "LeNet-5 (Caffe)"
    smallest_side: ClassVar[int] = 16

    def layers(self, classes: int) -> list[Any]:
        """Return its layers; as in Caffe, only the dense layer has a rectifier."""
        from tf_keras import layers

        return [
            layers.Conv2D(20, 5, name="conv1"),
            layers.MaxPooling2D(name="pool1"),
            layers.Conv2D(50, 5, name="conv2"),
            layers.MaxPooling2D(name="pool2"),
            layers.Flatten(name="flatten"),
            layers.Dense(500, activation="relu", name="dense"),
            layers.Dense(classes, activation="softmax", name="probabilities"),
        ]

    def parameters(self, shape: tuple[int, ...], classes: int) -> int:
        """Return how many weights and biases it has; nothing is built."""
        return Tally(shape).conv(20, 5).pool().conv(50, 5).pool().dense(500).dense(classes).parameters
