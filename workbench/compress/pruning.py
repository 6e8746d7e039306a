"""What the methods that prune with TensorFlow Model Optimization have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from workbench.compress.fine_tuning import FineTuned
from workbench.compress.prunable import stripped

if TYPE_CHECKING:
    from workbench.compress.base import Trait


class Pruning(FineTuned):
    """A fine-tuned method whose wrappers hold masks."""

    gives: ClassVar[frozenset[Trait]] = frozenset({"sparsity"})

    def objection(self, present: frozenset[Trait]) -> str | None:
        """Pruning undoes shared values: its fine-tuning moves each weight by itself."""
        if "clusters" in present:
            return "must come before clustering, whose shared values it would undo"
        return None

    def strip(self, model: Any) -> Any:
        """Mask once more and take the wrappers off."""
        return stripped(model)
