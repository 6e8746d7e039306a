"""How many right answers prove a recall."""

from __future__ import annotations

from typing import Any

from workbench.core.language import _
from workbench.evaluate.intervals import wilson
from workbench.lessons.base import Exercise

_RECALL = 0.95


class PatientsWithoutAnError(Exercise):
    """The smallest count of which the interval's lower end is high enough."""

    def fault(self, answer: Any) -> str:
        """Return what is wrong with the count."""
        count = int(answer)
        if count != answer or count < 1:
            return _("The number of patients is a whole number above 0, got {count}.").format(count=answer)
        low = wilson(count, count).low
        if low < _RECALL:
            return _("Of {count} the lower end is {low}: too low.").format(count=count, low=f"{low:.2%}")
        if wilson(count - 1, count - 1).low >= _RECALL:
            return _("Of {count} the lower end is {low}: fewer will do.").format(count=count, low=f"{low:.2%}")
        return ""
