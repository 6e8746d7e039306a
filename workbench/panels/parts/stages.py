"""How the stages of the road stand, read from the workspace's runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.core.language import _
from workbench.jobs import attach
from workbench.jobs.request import FILE_NAME

if TYPE_CHECKING:
    from workbench.core.workspace import Workspace

ROAD = ("train", "evaluate", "compress", "convert", "serve", "monitor")
_KINDS = {
    "train": "train", "retrain": "train", "evaluate": "evaluate", "compress": "compress", "sweep": "compress",
    "convert": "convert", "serve": "serve", "drill": "monitor", "reference": "monitor",
}  # fmt: skip
_SHOWN = {"queued": "running", "running": "running", "done": "done", "failed": "failed", "lost": "failed"}


@dataclass
class Stages:
    """The newest run of each stage; a run that is done is read once, any other may be resumed."""

    workspace: Workspace
    _done: set[str] = field(default_factory=set)

    def look(self) -> list[dict[str, Any]]:
        """Return one step a stage, as `Stepper` shows them; reads the names of runs and what is new in the last."""
        newest: dict[str, str] = {}
        counts = dict.fromkeys(ROAD, 0)
        for run in self.workspace.list_runs():
            stage = _KINDS.get(run.name.split("-")[0])
            if stage is None:
                continue
            counts[stage] += 1
            # The folder comes before what was asked for: a run without that has not begun.
            if stage not in newest and (run / FILE_NAME).is_file():
                newest[stage] = run.name
        return [self._step(stage, newest.get(stage), counts[stage]) for stage in ROAD]

    def _step(self, stage: str, run: str | None, count: int) -> dict[str, Any]:
        state = "none" if run is None else self._state(run)
        shown = _SHOWN.get(state, "none")
        detail = "" if run is None else _told(run, count)
        if stage == "serve" and shown != "running":
            state, shown = self._serving(state, shown)
        if stage == "monitor" and shown != "running" and (raised := self._alarms()) is not None:
            state, shown = ("alarm", "failed") if raised else ("watched", "running")
            detail = "\n".join(raised) or detail
        return {"name": stage, "label": labels()[stage], "state": shown, "word": state_words()[state], "detail": detail}

    def _serving(self, state: str, shown: str) -> tuple[str, str]:
        """Return how serving stands where the newest server is not up: an older one may be."""
        from workbench.serve.sandbox import running

        if running(self.workspace):
            return "running", "running"
        return ("ended", "none") if state == "done" else (state, shown)

    def _alarms(self) -> list[str] | None:
        """Return the alarms that monitors of the servers that are up keep as raised; None where nobody has watched."""
        from workbench.monitor.kept import NAME, read_kept
        from workbench.serve.sandbox import running

        watched = [folder / NAME for folder in running(self.workspace) if (folder / NAME).is_file()]
        found = [title for path in watched for title, raised in read_kept(path).raised.items() if raised]
        return found if watched else None

    def _state(self, run: str) -> str:
        if run in self._done:
            return "done"
        state = str(attach(run, self.workspace).state)
        if state == "done":
            self._done.add(run)
        return state


def labels() -> dict[str, str]:
    """Return what the stages are called."""
    return {
        "train": _("Train"), "evaluate": _("Evaluate"), "compress": _("Compress"), "convert": _("Convert"),
        "serve": _("Deploy"), "monitor": _("Monitor"),
    }  # fmt: skip


def state_words() -> dict[str, str]:
    """Return how the states of runs are called."""
    return {
        "none": _("not yet"), "preparing": _("preparing"), "queued": _("queued"), "running": _("running"),
        "done": _("done"), "failed": _("failed"), "cancelled": _("cancelled"), "paused": _("paused"),
        "lost": _("broken off"), "ended": _("has ended"), "watched": _("watched"), "alarm": _("alarm"),
    }  # fmt: skip


def _told(run: str, count: int) -> str:
    time = run.split("-")[1]
    runs = _("1 run") if count == 1 else _("{count} runs").format(count=count)
    return f"{runs}\n" + _("last {hour}:{minute} UTC").format(hour=time[9:11], minute=time[11:13])
