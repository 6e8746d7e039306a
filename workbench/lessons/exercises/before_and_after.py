"""Measure a model before and after the road, on the same images."""

from __future__ import annotations

from typing import Any

from workbench.core.language import _
from workbench.core.records import Evaluation
from workbench.lessons.base import Exercise


class BeforeAndAfter(Exercise):
    """A pair of evaluations: of the trained model and of what is deployed."""

    def fault(self, answer: Any) -> str:
        """Return what is wrong with the pair."""
        if not (isinstance(answer, tuple) and len(answer) == 2):  # noqa: PLR2004
            return _("Give two things: (the evaluation before, the evaluation after).")
        if not all(isinstance(one, Evaluation) for one in answer):
            return _("Both must be what wb.evaluate returns.")
        before, after = answer
        if before.model == after.model:
            return _("Both are of the same model file; the second should be of the one that is deployed.")
        if (before.checksum, before.split) != (after.checksum, after.split):
            return _("They are of different images, so they cannot be compared.")
        return ""
