"""How a run stands, derived from its files alone; whoever asks may be any process.

- `events.jsonl` holds a `state` event for each turn: queued (with the attempt and the cluster that took it), running,
  done, failed, cancelled, paused.
- `lease` is locked by whoever works on the run: who submits it, then the worker and its child. A run that is said to
  be running and whose lease is free was left by a process that died; one whose lease is gone was given up.
- `cancel` is there when somebody asked to end it now, `pause` when at the next place from which it can go on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from workbench.core.events import FILE_NAME, Event, parse
from workbench.core.workspace import Workspace
from workbench.jobs import cluster, lock

if TYPE_CHECKING:
    from pathlib import Path

State = Literal["queued", "running", "done", "failed", "cancelled", "paused", "lost"]
UNFINISHED: frozenset[State] = frozenset({"failed", "cancelled", "paused", "lost"})
FINAL: frozenset[State] = UNFINISHED | {"done"}
LEASE = "lease"
CANCEL = "cancel"
PAUSE = "pause"
VALUE = "value.json"
_TAIL_BYTES = 1 << 16


@dataclass(frozen=True)
class Standing:
    """How a run stands.

    Attributes:
        state: The word for it.
        attempt: Which time it is tried, from 1; 0 where nobody took it.
        error: `{type, message}` of a failed one.
    """

    state: State
    attempt: int = 0
    error: dict[str, str] | None = None


def standing(folder: Path) -> Standing:
    """Say how a run stands now."""
    last = _last_turn(folder)
    found = _judge(folder, last)
    if found.state == "lost":
        # Between the reading of the events and the look at the lease it may have ended in good order.
        again = _last_turn(folder)
        if again != last:
            return standing(folder)
    return found


def workspace_of(folder: Path) -> Workspace:
    """Return the workspace that a run folder lies in."""
    return Workspace.at(folder.parent.parent)


def _judge(folder: Path, turn: dict[str, Any]) -> Standing:
    state, attempt = turn.get("state"), turn.get("attempt", 0)
    if state in ("done", "failed", "cancelled", "paused"):
        return Standing(state, attempt, turn.get("error"))
    if lock.is_held(folder / LEASE):
        return Standing("running" if state == "running" else "queued", attempt)
    if (folder / CANCEL).exists():
        return Standing("cancelled", attempt)
    taken_by = str(turn.get("cluster"))
    if state == "queued" and (folder / LEASE).exists() and cluster.is_alive(workspace_of(folder), taken_by):
        return Standing("queued", attempt)
    return Standing("lost", attempt)


def _last_turn(folder: Path) -> dict[str, Any]:
    """Return the data of the last `state` event, {} where there is none yet."""
    try:
        with (folder / FILE_NAME).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL_BYTES))
            tail = file.read()
    except FileNotFoundError:
        return {}
    event = _last_state(tail)
    if event is None and size > _TAIL_BYTES:
        event = _last_state((folder / FILE_NAME).read_bytes())
    return event.data if event is not None else {}


def _last_state(lines: bytes) -> Event | None:
    complete = lines[: lines.rfind(b"\n") + 1].splitlines()
    for line in reversed(complete):
        # Cheap test first: of a hundred lines one is a turn.
        if b'"state"' in line and (event := parse(line)) is not None and event.type == "state":
            return event
    return None
