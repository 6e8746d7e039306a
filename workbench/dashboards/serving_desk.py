"""The serving desk: servers, their versions and load, and what becomes of them."""

from __future__ import annotations

from workbench.dashboards.base import Dashboard
from workbench.panels.draw import DrawPanel
from workbench.panels.monitor import MonitorPanel
from workbench.panels.serve import ServePanel


class ServingDesk(Dashboard):
    """For who runs models: the server that is chosen is the one that is watched."""

    shows = (ServePanel, MonitorPanel, DrawPanel)
