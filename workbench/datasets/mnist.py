"""MNIST: the handwritten digits of Y. LeCun, C. Cortes and C. J. C. Burges."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from workbench.datasets.base import DatasetSource, RawData, data_file
from workbench.datasets.keras_download import keras_dataset, keras_file
from workbench.datasets.npz import read_npz

if TYPE_CHECKING:
    from pathlib import Path


class Mnist(DatasetSource):
    """60,000 + 10,000 handwritten digits of 28x28 pixels."""

    title: ClassVar[str] = "MNIST"
    sound_accuracy: ClassVar[float | None] = 0.988

    def locate(self) -> Path | None:
        """Return `WORKBENCH_DATA/mnist.npz`, if there."""
        return data_file("mnist.npz")

    def at_hand(self) -> bool:
        """Say whether the file is there or Keras has downloaded it before."""
        return self.locate() is not None or keras_file("mnist.npz").is_file()

    def read(self, file: Path | None) -> RawData:
        """Read the file, else the ordinary Keras download, whose checksum Keras verifies."""
        return read_npz(file) if file is not None else RawData(*keras_dataset("mnist"))
