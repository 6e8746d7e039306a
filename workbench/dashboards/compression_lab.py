"""The compression lab: a model, the slider, a sweep and its frontier, other formats."""

from __future__ import annotations

from workbench.dashboards.base import Dashboard
from workbench.panels.compress import CompressPanel
from workbench.panels.convert import ConvertPanel
from workbench.panels.data import DataPanel
from workbench.panels.evaluate import EvaluatePanel
from workbench.panels.sweep import SweepPanel
from workbench.panels.train import TrainPanel


class CompressionLab(Dashboard):
    """For who looks for the smallest model that still answers: what is trained is what the sliders move."""

    shows = (DataPanel, TrainPanel, CompressPanel, SweepPanel, EvaluatePanel, ConvertPanel)
