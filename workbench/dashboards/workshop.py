"""The workshop: the whole road on one page."""

from __future__ import annotations

from workbench.dashboards.base import Dashboard
from workbench.panels.compress import CompressPanel
from workbench.panels.convert import ConvertPanel
from workbench.panels.data import DataPanel
from workbench.panels.draw import DrawPanel
from workbench.panels.evaluate import EvaluatePanel
from workbench.panels.monitor import MonitorPanel
from workbench.panels.serve import ServePanel
from workbench.panels.stepper import StepperPanel
from workbench.panels.sweep import SweepPanel
from workbench.panels.train import TrainPanel


class Workshop(Dashboard):
    """Every panel, in the order of the road, and the road above them."""

    shows = (
        StepperPanel, DataPanel, TrainPanel, EvaluatePanel, DrawPanel, CompressPanel, SweepPanel, ConvertPanel,
        ServePanel, MonitorPanel,
    )  # fmt: skip
