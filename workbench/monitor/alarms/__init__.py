"""Rules on what is watched, and who is told when one is broken."""

from workbench.monitor.alarms.alarms import Alarms
from workbench.monitor.alarms.rule import Rule, default_rules
from workbench.monitor.alarms.targets import CallbackTarget, CommandTarget, LogTarget, Target, WebhookTarget

__all__ = [
    "Alarms",
    "CallbackTarget",
    "CommandTarget",
    "LogTarget",
    "Rule",
    "Target",
    "WebhookTarget",
    "default_rules",
]
