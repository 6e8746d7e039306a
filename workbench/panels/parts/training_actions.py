"""The buttons of the training panel: which are there in which state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.language import _
from workbench.jobs.state import UNFINISHED
from workbench.panels.parts.run_view import GOING_ON
from workbench.widgets.action_bar import ActionBar

if TYPE_CHECKING:
    from collections.abc import Callable


def training_actions(**callbacks: Callable[[], None]) -> ActionBar:
    """Return the buttons `train`, `pause`, `cancel`, `resume`, each with what it calls."""
    bar = ActionBar(
        label=_("Training"),
        actions=[
            {"name": "train", "label": _("Train"), "primary": True, "tooltip": _("Start a run with these settings")},
            {"name": "pause", "label": _("Pause"), "shown": False,
             "tooltip": _("Rest when the epoch under way is done, so that nothing is lost")},
            {"name": "cancel", "label": _("Cancel"), "shown": False,
             "tooltip": _("End the run now; it can be resumed from its last finished epoch")},
            {"name": "resume", "label": _("Resume"), "shown": False,
             "tooltip": _("Go on from the last finished epoch")},
        ],
    )  # fmt: skip
    for name, callback in callbacks.items():
        bar.on_press(name, callback)
    return bar


def turn(bar: ActionBar, state: str, *, ready: bool) -> None:
    """Show what can be done in this state of the run; `ready` says that a new one can be started."""
    with bar.hold_sync():
        bar.change("train", enabled=ready)
        bar.change("pause", shown=state in GOING_ON, enabled=True, label=_("Pause"))
        bar.change("cancel", shown=state in GOING_ON, enabled=True, label=_("Cancel"))
        bar.change("resume", shown=state in UNFINISHED)
