"""The training dashboard: train, then see how the model answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets

from workbench.panels.base import Session, stack
from workbench.panels.evaluate import EvaluatePanel
from workbench.panels.train import TrainPanel

if TYPE_CHECKING:
    from workbench.core.workspace import Workspace


class Training(ipywidgets.VBox):  # type: ignore[misc]
    """Train and Evaluate with one session: what was trained is evaluated.

    Attributes:
        session: What the panels share.
        train: The training panel.
        evaluate: The evaluation panel.
    """

    def __init__(self, workspace: Workspace | None = None) -> None:
        self.session = Session(workspace)
        self.evaluate = EvaluatePanel(self.session)
        self.train = TrainPanel(self.session)
        super().__init__([stack(self.session.presence, self.train, self.evaluate)])

    def close(self) -> None:
        """Take it off the page and end its threads; jobs go on."""
        self.session.close()
        self.train.close()
        self.evaluate.close()
        super().close()
