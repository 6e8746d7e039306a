"""What zeros do to a file's size."""

from __future__ import annotations

from typing import ClassVar

from workbench.core.language import N_
from workbench.lessons.base import Prediction


class ZerosInAFile(Prediction):
    """Pruning alone makes no file smaller."""

    text: ClassVar[str] = N_("Four of five weights become 0. How large is the saved file?")
    choices: ClassVar[tuple[str, ...]] = (N_("a fifth"), N_("about a half"), N_("as large as before"))
    answer: ClassVar[int] = 2
    why: ClassVar[str] = N_(
        "A zero takes four bytes like any other number. Only what packs zeros, gzip for instance, gains from them."
    )
