"""The classroom: a short road with a word on each of its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from workbench.core.language import N_, _
from workbench.dashboards.base import Dashboard
from workbench.panels.compress import CompressPanel
from workbench.panels.draw import DrawPanel
from workbench.panels.evaluate import EvaluatePanel
from workbench.panels.parts.word import word
from workbench.panels.stepper import StepperPanel
from workbench.panels.train import TrainPanel

if TYPE_CHECKING:
    import ipywidgets


class Classroom(Dashboard):
    """For who sees this for the first time: train, look, draw, and make it smaller.

    Attributes:
        words: Title and explanation of each step, by the panel that it stands over.
    """

    shows = (StepperPanel, TrainPanel, EvaluatePanel, DrawPanel, CompressPanel)
    words: ClassVar[dict[str, tuple[str, str]]] = {
        "train": (
            N_("1. Train a network"),
            N_(
                "A network learns from examples. Press Train and watch: the loss is how wrong it is, and it must fall "
                "on images that it does not learn from, too. Where only the training curve gets better, it learns by "
                "heart."
            ),
        ),
        "evaluate": (
            N_("2. See what it cannot do"),
            N_(
                "The test images were kept back. Accuracy is the share of right answers; the interval says how far it "
                "may be from the truth with so few images. The table shows which digits are taken for which."
            ),
        ),
        "draw": (
            N_("3. Ask it yourself"),
            N_(
                "Draw a digit. The models see it small and laid out as the images that they were trained on; switch "
                "that off, and see how much of the skill lies in the layout."
            ),
        ),
        "compress": (
            N_("4. Make it smaller"),
            N_(
                "Most weights can be set to zero, shared or kept in a few bits before answers suffer. Move a slider "
                "and watch both numbers: what it costs in accuracy and what it saves in bytes."
            ),
        ),
    }

    def arrange(self) -> tuple[ipywidgets.Widget, ...]:
        """Return the panels, each under a word on it."""
        shown: list[ipywidgets.Widget] = []
        for kind in self.shows:
            if kind.verb in self.words:
                title, text = self.words[kind.verb]
                shown.append(word(_(title), _(text)))
            shown.append(self.panels[kind.verb])
        return tuple(shown)
