"""How a sweep stands: its buttons, its bar, its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.language import N_, _
from workbench.widgets.action_bar import ActionBar
from workbench.widgets.progress import Progress

if TYPE_CHECKING:
    from workbench.panels.parts.sweep_watch import SweepWatch

GOING_ON = ("starting", "running")
RESTING = ("new", "paused", "cancelled", "failed", "lost")
TONES = {"running": "accent", "done": "good", "failed": "bad", "lost": "warn", "paused": "warn", "cancelled": "warn"}
_SAID = {
    "new": N_("not begun"), "starting": N_("starting"), "running": N_("running"), "done": N_("done"),
    "paused": N_("paused"), "cancelled": N_("cancelled"), "failed": N_("failed"), "lost": N_("lost"),
}  # fmt: skip


class Standing:
    """Buttons and a bar.

    Attributes:
        actions: `start`, `pause`, `cancel`, `resume`.
        line: The bar.
    """

    def __init__(self) -> None:
        self.actions = _buttons()
        self.line = Progress(label=_("Sweep"), text=_("No sweep yet"))

    def turn(self, state: str, *, ready: bool) -> None:
        """Offer what can be done in a state; `ready` says that a sweep could be begun."""
        going = state in GOING_ON
        with self.actions.hold_sync():
            self.actions.change("start", enabled=ready and not going)
            self.actions.change("pause", shown=going, enabled=state == "running", label=_("Pause"))
            self.actions.change("cancel", shown=going, enabled=state == "running", label=_("Cancel"))
            self.actions.change("resume", shown=state in RESTING)

    def tell(self, watch: SweepWatch | None, state: str) -> None:
        """Say how far a sweep is."""
        if watch is None:
            self.say(_("No sweep yet"))
            return
        done, failed = len(watch.points), sum(point.state == "failed" for point in watch.points.values())
        words = _("{done} of {total} points, {failed} failed") if failed else _("{done} of {total} points")
        self.say(
            words.format(done=done, total=watch.total, failed=failed), active=state in GOING_ON,
            share=done / max(1, watch.total), left=watch.seconds_left, tone=TONES.get(state, "accent"),
        )  # fmt: skip

    def say(
        self, text: str, *, active: bool = False, share: float = -1.0, left: float | None = None, tone: str = "accent"
    ) -> None:
        """Say something; a share below 0 means that nobody knows yet."""
        with self.line.hold_sync():
            self.line.text, self.line.active, self.line.tone = text, active, tone
            self.line.share, self.line.seconds_left = share if active or share > 0 else 0.0, left


def said(state: str) -> str:
    """Return a state in the reader's language."""
    return _(_SAID[state]) if state in _SAID else state


def minutes(seconds: float) -> str:
    """Write how long something takes, as people say it."""
    for size, words in ((86400, _("{n} days")), (3600, _("{n} hours")), (60, _("{n} minutes"))):
        if seconds >= 2 * size:
            return words.format(n=f"{seconds / size:.0f}")
    return _("{n} seconds").format(n=f"{seconds:.0f}")


def _buttons() -> ActionBar:
    return ActionBar(
        label=_("Sweep"),
        actions=[
            {"name": "start", "label": _("Start the sweep"), "primary": True,
             "tooltip": _("It goes on when this page is closed")},
            {"name": "pause", "label": _("Pause"), "shown": False,
             "tooltip": _("Finish what is under way and begin nothing new")},
            {"name": "cancel", "label": _("Cancel"), "shown": False,
             "tooltip": _("End its jobs now; finished points stay")},
            {"name": "resume", "label": _("Resume"), "shown": False,
             "tooltip": _("Go on; nothing that is finished is made again")},
        ],
    )  # fmt: skip
