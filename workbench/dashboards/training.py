"""The training dashboard: train, then see how the model answers."""

from __future__ import annotations

from workbench.dashboards.base import Dashboard
from workbench.panels.evaluate import EvaluatePanel
from workbench.panels.train import TrainPanel


class Training(Dashboard):
    """Train and Evaluate with one session: what was trained is evaluated."""

    shows = (TrainPanel, EvaluatePanel)

    train: TrainPanel
    evaluate: EvaluatePanel
