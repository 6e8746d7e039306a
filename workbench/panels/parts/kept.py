"""Drawings that are kept with their true class, for the next training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.language import _
from workbench.panels.base import stack
from workbench.panels.parts.verdict import called
from workbench.pipeline.hard_set import hard_set
from workbench.widgets.action_bar import ActionBar
from workbench.widgets.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from workbench.panels.base import Panel

_MOST_BUTTONS = 40


class Kept:
    """A button a class: what is drawn goes into the hard set under it.

    Attributes:
        widget: What is put on the page.
        classes: Names of the classes.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self.classes: tuple[str, ...] = ()
        self._drawn: NDArray[np.float32] | None = None
        self._bar = ActionBar(label=_("True class of the drawing"))
        self._line = Progress(label=_("Hard set"), text=_("Press what you drew, and it is kept for the next training."))
        self.widget = stack(self._line, self._bar)
        self.widget.add_class("wb-kept")

    def offer(self, classes: Sequence[str]) -> None:
        """Offer other classes."""
        self.classes = tuple(classes)
        for number, name in enumerate(self.classes[:_MOST_BUTTONS]):
            if number >= len(self._bar.actions):
                self._bar.on_press(f"keep-{number}", self._panel.act(lambda number=number: self._keep(number)))
            self._bar.actions = [*self._bar.actions[:number], self._button(number, name)]

    def drawn(self, image: NDArray[np.float32] | None) -> None:
        """Have another drawing to keep, as the first model sees it; None is none."""
        self._drawn = image
        ready = image is not None
        if any(action["enabled"] is not ready for action in self._bar.actions):
            self._bar.actions = [{**action, "enabled": ready} for action in self._bar.actions]

    def _button(self, number: int, name: str) -> dict[str, Any]:
        tip = _("Add the drawing to the hard set as {label}").format(label=name)
        return {"name": f"keep-{number}", "label": name, "tooltip": tip, "enabled": self._drawn is not None}

    def _keep(self, number: int) -> None:
        image, session = self._drawn, self._panel.session
        if image is None:
            return
        chosen = hard_set(session.hard_set, workspace=session.workspace)

        def work() -> int:
            chosen.add(image, number, "drawn")
            return len(chosen)

        def then(count: int) -> None:
            text = _("Kept as {label} in the hard set {name}, which holds {count}.")
            self._line.tone = "good"
            self._line.text = text.format(label=called(number, self.classes), name=chosen.name, count=count)

        self._panel.in_background(work, then)
