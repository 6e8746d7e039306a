"""What happens to a server that is watched, as moments of a timeline."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from workbench.core.language import _

if TYPE_CHECKING:
    from workbench.core.records.loop import LoopEvent
    from workbench.core.records.monitor import AlarmEvent
    from workbench.core.records.store import StoreChange

_TONES = {"rollback": "warn", "delete": "warn", "label": "accent"}


def clock(seconds: float) -> str:
    """Write a time of the day as it is where the page's kernel is.

    Args:
        seconds: Since 1970.
    """
    return time.strftime("%H:%M:%S", time.localtime(seconds))


def of_alarm(event: AlarmEvent) -> dict[str, Any]:
    """Return an alarm that began or is over."""
    raised = event.state == "raised"
    return {
        "time": clock(event.time),
        "kind": _("alarm") if raised else _("over"),
        "tone": "bad" if raised else "good",
        "words": event.words,
    }


def of_change(change: StoreChange) -> dict[str, Any]:
    """Return what happened to a model in its store."""
    kinds = {
        "publish": _("published"), "label": _("label"), "unlabel": _("label"), "rollback": _("rollback"),
        "delete": _("deleted"), "export": _("exported"),
    }  # fmt: skip
    when = datetime.fromisoformat(change.time).timestamp()
    tone = _TONES.get(change.action, "quiet")
    return {"time": clock(when), "kind": kinds[change.action], "tone": tone, "words": change_in_words(change)}


def change_in_words(change: StoreChange) -> str:
    """Return a change of the store as its own sentence says it, in the reader's language."""
    said = {
        "publish": _("Version {version} published, {gate}"),
        "label": _("{label} means version {version}"),
        "unlabel": _("{label} is taken from version {version}"),
        "rollback": _("{label} is rolled back to version {version}"),
        "delete": _("Version {version} deleted"),
        "export": _("Version {version} exported"),
    }[change.action].format(version=change.version, label=change.label, gate=gates()[change.gate or "ungated"])
    if change.previous is not None and change.action in ("label", "rollback"):
        said += _(", before {version}").format(version=change.previous)
    if change.gate == "overridden" and change.action != "publish":
        said += f", {gates()['overridden']}"
    reasons = "; ".join(part for part in (change.verdict, change.why) if part)
    return said + _(" (by {who})").format(who=(change.who or _("somebody")) + (f": {reasons}" if reasons else ""))


def gates() -> dict[str, str]:
    """Return how a version came past the gate, in words."""
    return {"passed": _("passed"), "overridden": _("let through"), "ungated": _("no gate")}


def of_reaction(event: LoopEvent) -> dict[str, Any]:
    """Return what was done about an alarm by itself, or was not."""
    refused = event.act in ("refused", "failed")
    kind = _("not done") if refused else _("reaction")
    return {"time": clock(event.time), "kind": kind, "tone": "warn" if refused else "accent", "words": event.words}


def of_state(state: str, name: str) -> dict[str, Any] | None:
    """Return how a server turned just now; None where that is no news."""
    said = {
        "ready": ("good", _("{name} answers")),
        "draining": ("warn", _("{name} answers what it has and ends")),
        "failed": ("bad", _("{name} failed")),
        "stopped": ("warn", _("{name} was stopped")),
    }
    if state not in said:
        return None
    tone, words = said[state]
    return {"time": clock(time.time()), "kind": _("server"), "tone": tone, "words": words.format(name=name)}


def of_version(version: str) -> dict[str, Any]:
    """Return that another version answers since just now."""
    words = _("Version {version} answers").format(version=version)
    return {"time": clock(time.time()), "kind": _("version"), "tone": "accent", "words": words}
