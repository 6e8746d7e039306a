"""Two programs that calculate one network."""

from __future__ import annotations

from typing import ClassVar

from workbench.core.language import N_
from workbench.lessons.base import Prediction


class TwoPrograms(Prediction):
    """The order of a sum changes its last digits."""

    text: ClassVar[str] = N_(
        "TensorFlow and ONNX Runtime calculate the same float32 network on the same images. Their outputs are"
    )
    choices: ClassVar[tuple[str, ...]] = (
        N_("equal to the last bit"), N_("equal to about six digits"), N_("equal to about two digits"),
    )  # fmt: skip
    answer: ClassVar[int] = 1
    why: ClassVar[str] = N_(
        "A sum of floats depends on the order in which it is taken, and each program has its own. Float32 holds about "
        "seven digits, so the difference stays in the last ones."
    )
