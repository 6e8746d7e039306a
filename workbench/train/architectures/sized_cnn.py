"""A convolutional network in the shape of the documents' one, whose sizes are settings: what a search sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from workbench.core.errors import BadInputError
from workbench.train.architectures.base import Architecture
from workbench.train.architectures.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterator


class SizedCnn(Architecture):
    """Blocks of Conv and max-pool, each with twice the filters of the one before, then Dense and softmax.

    Convolutions pad, so that any image with 2 pixels a block fits: 10 filters, 2 blocks, kernel 3 and 32 dense units
    have 33,642 parameters on 28x28x1 and 10 classes.
    """

    title: ClassVar[str] = "Sized CNN"
    smallest_side: ClassVar[int] = 2

    filters: int = Field(
        default=10, ge=1, le=256, description="filters of the first block; each next has twice as many"
    )
    depth: int = Field(default=2, ge=1, le=5, description="blocks of one convolution and one 2x2 max-pool")
    kernel: int = Field(default=3, ge=1, le=7, description="pixels a side of each convolution's kernel")
    dense: int = Field(default=32, ge=0, le=1024, description="units of the hidden dense layer; 0 leaves it out")

    def layers(self, classes: int) -> list[Any]:
        """Return its layers."""
        from tf_keras import layers

        found: list[Any] = []
        for number, filters in self._blocks():
            found += [
                layers.Conv2D(filters, self.kernel, padding="same", activation="relu", name=f"conv{number}"),
                layers.MaxPooling2D(name=f"pool{number}"),
            ]
        found.append(layers.Flatten(name="flatten"))
        if self.dense:
            found.append(layers.Dense(self.dense, activation="relu", name="dense"))
        return [*found, layers.Dense(classes, activation="softmax", name="probabilities")]

    def parameters(self, shape: tuple[int, ...], classes: int) -> int:
        """Return how many weights and biases it has; nothing is built."""
        tally = Tally(shape)
        for _, filters in self._blocks():
            tally = tally.conv(filters, self.kernel, same=True).pool()
        if self.dense:
            tally = tally.dense(self.dense)
        return tally.dense(classes).parameters

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse images whose pixels do not last for all blocks.

        Raises:
            BadInputError: They do not.
        """
        super().check(shape)
        if min(shape[:2]) < 2**self.depth:
            raise BadInputError.of(
                "depth", rule=f"must leave a pixel of the dataset's images ({shape[0]}x{shape[1]}) after halving",
                got=self.depth, hint=f"choose at most {min(shape[:2]).bit_length() - 1}",
            )  # fmt: skip

    def _blocks(self) -> Iterator[tuple[int, int]]:
        return ((number, self.filters << (number - 1)) for number in range(1, self.depth + 1))
