"""What an architecture is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from workbench.core.errors import BadInputError
from workbench.core.plugins import Registry
from workbench.core.settings import Settings
from workbench.datasets.kinds import input_name

IMAGE_AXES = 3


class Architecture(Settings, ABC):
    """A network that ends in a softmax over the classes; its fields, where it has any, size it.

    Attributes:
        title: What people call it.
        any_shape: It takes samples of any shape, not images alone.
        smallest_side: Fewest pixels of height and width that its layers can work on.
    """

    title: ClassVar[str]
    any_shape: ClassVar[bool] = False
    smallest_side: ClassVar[int]

    @abstractmethod
    def layers(self, classes: int) -> list[Any]:
        """Return the tf_keras layers after the input, the softmax last; each is named."""

    def build(self, shape: tuple[int, ...], classes: int) -> Any:
        """Build the model, not compiled; its weights follow TensorFlow's global seed.

        Args:
            shape: Of one sample; of an image it is (H, W, C), with values in [0, 1].
            classes: Count of classes.

        Returns:
            A `tf_keras.Sequential`: float32 (N, *shape) to probabilities (N, classes).

        Raises:
            BadInputError: The samples are no images where its layers need them, or too small.
        """
        self.check(shape)
        import tf_keras

        name = type(self).__module__.rpartition(".")[2]
        return tf_keras.Sequential([tf_keras.Input(shape, name=input_name(shape)), *self.layers(classes)], name=name)

    @classmethod
    def takes(cls, shape: tuple[int, ...]) -> bool:
        """Say whether its layers work on samples with so many axes."""
        return cls.any_shape or len(shape) == IMAGE_AXES

    def parameters(self, shape: tuple[int, ...], classes: int) -> int | None:
        """Return how many weights and biases it has without building it; None where that cannot be said."""
        del shape, classes
        return None

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse samples that are no images where its layers need them, and images that are too small.

        Raises:
            BadInputError: They are.
        """
        if not self.takes(shape):
            raise BadInputError.of(
                "architecture",
                rule=f"must fit the dataset's samples of shape {shape}, which are no images",
                got=self.title,
                hint=f"choose {' or '.join(fitting(shape))}",
            )
        if len(shape) == IMAGE_AXES and min(shape[:2]) < self.smallest_side:
            raise BadInputError.of(
                "architecture",
                rule=f"must fit the dataset's images ({shape[0]}x{shape[1]}; {self.title} needs "
                f"{self.smallest_side}x{self.smallest_side})",
                got=self.title,
                hint="choose mlp or larger images",
            )


def fitting(shape: tuple[int, ...]) -> tuple[str, ...]:
    """Return the names of the architectures that take samples of a shape, whatever their size."""
    return tuple(name for name in ARCHITECTURES.names() if ARCHITECTURES.get(name).takes(shape))


ARCHITECTURES: Registry[Architecture] = Registry(
    "architectures",
    "workbench.train.architectures",
    Architecture,  # type: ignore[type-abstract]
)
