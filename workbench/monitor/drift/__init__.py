"""Does what comes in, and what is answered, still look like the reference?

A window of requests is compared with a reference by the tests of scipy. Each window spends a part of one day's budget
of false alarms, in proportion to the time that it took; a difference that is too small to matter is none.
"""

from workbench.monitor.drift.detector import DriftDetector
from workbench.monitor.drift.reference import Reference
from workbench.monitor.drift.settings import DriftSettings

__all__ = ["DriftDetector", "DriftSettings", "Reference"]
