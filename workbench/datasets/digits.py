"""The handwritten digits that ship inside scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from workbench.core.errors import MissingExtraError
from workbench.datasets.base import DatasetSource, RawData
from workbench.datasets.splits import stratified

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_SIDE = 28
_TEST_SHARE = 0.2


class Digits(DatasetSource):
    """1,797 digits of 8x8 pixels, scaled up to 28x28 so that what fits MNIST fits them; needs no network."""

    title: ClassVar[str] = "Digits (scikit-learn)"
    sound_accuracy: ClassVar[float | None] = 0.9
    note: ClassVar[str] = (
        "1,797 small digits that ship inside scikit-learn (UCI, 8x8 scaled up to 28x28), not MNIST: "
        "figures measured on them do not compare with MNIST's."
    )

    def at_hand(self) -> bool:
        """Say yes: they are part of a package of ours."""
        return True

    def read(self, file: Path | None) -> RawData:
        """Read, scale up and split them; `file` is not used."""
        del file
        try:
            from sklearn.datasets import load_digits
        except ImportError as error:
            raise MissingExtraError.of("The dataset digits", "scikit-learn", "train") from error
        data = load_digits()
        labels = np.asarray(data.target, dtype=np.int64)
        images = np.rint(scaled_up(data.images / data.images.max(), _SIDE) * 255).astype(np.uint8)
        rest, held = stratified(labels, _TEST_SHARE)
        return RawData(images[rest], labels[rest], images[held], labels[held], note=self.note)


def scaled_up(images: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Scale square images up, bilinear with half-pixel centres and clamped borders.

    Args:
        images: (N, s, s).
        side: New height and width.

    Returns:
        (N, side, side).
    """
    weights = _bilinear(images.shape[1], side)
    scaled: NDArray[np.float64] = np.einsum("ir,nrc,jc->nij", weights, images, weights)
    return scaled


def _bilinear(source: int, target: int) -> NDArray[np.float64]:
    # Row i holds the weights of the source pixels that target pixel i is mixed from.
    centres = np.clip((np.arange(target) + 0.5) * source / target - 0.5, 0, source - 1)
    left = np.minimum(np.floor(centres).astype(int), source - 2)
    weights = np.zeros((target, source))
    rows = np.arange(target)
    weights[rows, left] = 1 - (centres - left)
    weights[rows, left + 1] = centres - left
    return weights
