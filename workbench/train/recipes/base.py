"""What a recipe is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from workbench.core.plugins import Registry

if TYPE_CHECKING:
    from workbench.train.settings import LearningSettings


class Recipe(ABC):
    """Settings that belong together, under a name.

    Attributes:
        title: What people call it.
        architecture: The network it was made for.
    """

    title: ClassVar[str]
    architecture: ClassVar[str] = "docs_cnn"

    @classmethod
    @abstractmethod
    def settings(cls) -> LearningSettings:
        """Return its settings; people may change each of them."""


RECIPES: Registry[Recipe] = Registry(
    "recipes",
    "workbench.train.recipes",
    Recipe,  # type: ignore[type-abstract]
)
