"""The best that five epochs of the same network gave."""

from __future__ import annotations

from typing import ClassVar

from workbench.train.recipes.base import Recipe
from workbench.train.settings import LearningSettings


class Best(Recipe):
    """Warm-up and cosine learning rate, images shifted by a pixel, smoothed labels; chosen on a validation split.

    Of MNIST's training images a tenth was held back (one seed, 5 epochs): 99.40 % right with all of it, 99.38 % at
    2/3 of the peak rate, 99.27 % without shifts, 99.23 % without smoothing, 98.65 % with the documents' recipe.
    """

    title: ClassVar[str] = "Best of five epochs"

    @classmethod
    def settings(cls) -> LearningSettings:
        """Return its settings."""
        return LearningSettings(schedule="cosine", learning_rate=3e-3, warmup=0.1, shift_pixels=1, label_smoothing=0.05)
