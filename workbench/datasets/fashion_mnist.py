"""Fashion-MNIST: Zalando's clothes in MNIST's shape (H. Xiao, K. Rasul, R. Vollgraf, 2017)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from workbench.datasets.base import DatasetSource, RawData, data_file
from workbench.datasets.keras_download import keras_dataset, keras_file
from workbench.datasets.npz import read_npz

if TYPE_CHECKING:
    from pathlib import Path

_CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip


class FashionMnist(DatasetSource):
    """60,000 + 10,000 photographs of clothes, 28x28 grey pixels, 10 classes."""

    title: ClassVar[str] = "Fashion-MNIST"
    sound_accuracy: ClassVar[float | None] = 0.88

    def locate(self) -> Path | None:
        """Return `WORKBENCH_DATA/fashion_mnist.npz`, if there."""
        return data_file("fashion_mnist.npz")

    def at_hand(self) -> bool:
        """Say whether the file is there or Keras has downloaded it before."""
        return self.locate() is not None or keras_file("fashion-mnist/train-images-idx3-ubyte.gz").is_file()

    def read(self, file: Path | None) -> RawData:
        """Read the file, else the ordinary Keras download."""
        raw = read_npz(file) if file is not None else RawData(*keras_dataset("fashion_mnist"))
        return replace(raw, classes=_CLASSES)
