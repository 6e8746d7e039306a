"""What many samples in one call cost each."""

from __future__ import annotations

from typing import ClassVar

from workbench.core.language import N_
from workbench.lessons.base import Prediction


class ManyInOneCall(Prediction):
    """A part of each call does not depend on its samples."""

    text: ClassVar[str] = N_("64 images are asked in one call instead of 64 calls. The time for one image")
    choices: ClassVar[tuple[str, ...]] = (N_("becomes less"), N_("stays the same"), N_("becomes more"))
    answer: ClassVar[int] = 0
    why: ClassVar[str] = N_(
        "A part of every call is the same however many samples it holds. Shared by 64 it hardly counts; who waits for "
        "their own image, though, waits for all 64."
    )
