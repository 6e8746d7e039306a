"""What an architecture is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from workbench.core.errors import BadInputError
from workbench.core.plugins import Registry
from workbench.core.settings import Settings


class Architecture(Settings, ABC):
    """A network for images, ending in a softmax over the classes; its fields, where it has any, size it.

    Attributes:
        title: What people call it.
        smallest_side: Fewest pixels of height and width that its layers can work on.
    """

    title: ClassVar[str]
    smallest_side: ClassVar[int]

    @abstractmethod
    def layers(self, classes: int) -> list[Any]:
        """Return the tf_keras layers after the input, the softmax last; each is named."""

    def build(self, shape: tuple[int, int, int], classes: int) -> Any:
        """Build the model, not compiled; its weights follow TensorFlow's global seed.

        Args:
            shape: Of one image, (H, W, C); values in [0, 1].
            classes: Count of classes.

        Returns:
            A `tf_keras.Sequential`: float32 (N, H, W, C) to probabilities (N, classes).

        Raises:
            BadInputError: The images are too small for its layers.
        """
        self.check(shape)
        import tf_keras

        name = type(self).__module__.rpartition(".")[2]
        return tf_keras.Sequential([tf_keras.Input(shape, name="image"), *self.layers(classes)], name=name)

    def parameters(self, shape: tuple[int, int, int], classes: int) -> int | None:
        """Return how many weights and biases it has without building it; None where that cannot be said."""
        del shape, classes
        return None

    def check(self, shape: tuple[int, int, int]) -> None:
        """Refuse images that are too small for its layers.

        Raises:
            BadInputError: They are.
        """
        if min(shape[:2]) < self.smallest_side:
            raise BadInputError.of(
                "architecture",
                rule=f"must fit the dataset's images ({shape[0]}x{shape[1]}; {self.title} needs "
                f"{self.smallest_side}x{self.smallest_side})",
                got=self.title,
                hint="choose mlp or larger images",
            )


ARCHITECTURES: Registry[Architecture] = Registry(
    "architectures",
    "workbench.train.architectures",
    Architecture,  # type: ignore[type-abstract]
)
