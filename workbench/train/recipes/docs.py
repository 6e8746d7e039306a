"""The documents' recipe, to the letter."""

from __future__ import annotations

from typing import ClassVar

from workbench.train.recipes.base import Recipe
from workbench.train.settings import LearningSettings


class Docs(Recipe):
    """Adam at its default rate, categorical cross-entropy, batches of 64, 5 epochs, all training data."""

    title: ClassVar[str] = "As in the documents"

    @classmethod
    def settings(cls) -> LearningSettings:
        """Return its settings, which are the defaults."""
        return LearningSettings()
