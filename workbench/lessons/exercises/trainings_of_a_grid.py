"""What a grid search costs."""

from __future__ import annotations

from typing import Any

from workbench.core.language import _
from workbench.lessons.base import Exercise

_AXES = (3, 4, 2)
_FOLDS = 5
_SETTINGS = 3 * 4 * 2


class TrainingsOfAGrid(Exercise):
    """Every combination in every fold, and the best once more on everything."""

    def fault(self, answer: Any) -> str:
        """Return what is wrong with the count."""
        told = {
            sum(_AXES): _("The axes are combined: every value with every other."),
            _SETTINGS: _("That is how many combinations there are; each is trained more than once."),
            _SETTINGS * _FOLDS: _("Nearly: what does refit=True, the default, do at the end?"),
        }
        count = int(answer)
        if count == _SETTINGS * _FOLDS + 1:
            return ""
        return told.get(count) or _("{count} is neither the combinations nor their folds.").format(count=count)
