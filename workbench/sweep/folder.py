"""A sweep's folder: what was asked, what was measured so far, and who works on it."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from workbench.core.errors import BadInputError, JobCancelledError, WorkspaceError
from workbench.core.records import SweepPoint
from workbench.core.workspace import Workspace, read_json, write_json, writing
from workbench.jobs import lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

State = Literal["new", "running", "done", "paused", "cancelled", "failed", "lost"]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_SECONDS_FOR_LEASE = 1.0


@dataclass(frozen=True)
class SweepFolder:
    """Plain files in `WORKBENCH_HOME/sweeps/<name>`; a reader may be any process.

    `space.json` (what was asked), `points.jsonl` (a line a finished or failed point; a point that was made and timed
    later, or failed and was tried again, has a second line, which holds), `state.json`, `journal.log` (Optuna's),
    `driver` (locked by the process that drives it), `pause` and `cancel` (somebody asked).
    """

    path: Path

    @classmethod
    def named(cls, name: str, workspace: Workspace) -> SweepFolder:
        """Return the folder of a name, which need not exist.

        Raises:
            BadInputError: The name could not be a folder's.
        """
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise BadInputError.of(
                "name", rule="must be up to 64 letters, digits, dots, _ and -, a letter or digit first", got=name
            )
        return cls(workspace.sweeps / name)

    @property
    def name(self) -> str:
        """The sweep's name."""
        return self.path.name

    @property
    def exists(self) -> bool:
        """Whether a sweep of this name was ever asked for."""
        return (self.path / "space.json").is_file()

    @property
    def journal(self) -> Path:
        """Optuna's file."""
        return self.path / "journal.log"

    def asked(self) -> dict[str, Any]:
        """Return what was asked, plain JSON."""
        found = read_json(self.path / "space.json")
        if not isinstance(found, dict) or not _is_question(found):
            raise WorkspaceError(f"{self.path / 'space.json'} is damaged; delete the folder to start anew.")
        return found

    def begin(self, asked: dict[str, Any]) -> None:
        """Write what is asked."""
        write_json(self.path / "space.json", asked)

    def points(self) -> dict[str, SweepPoint]:
        """Return all points by key, in the order in which they were first finished; half a line is left out."""
        try:
            data = (self.path / "points.jsonl").read_bytes()
        except FileNotFoundError:
            return {}
        found: dict[str, SweepPoint] = {}
        for line in data[: data.rfind(b"\n") + 1].splitlines():
            with contextlib.suppress(ValidationError):  # what a killed writer left
                point = SweepPoint.model_validate_json(line)
                found[point.key] = point
        return found

    def append(self, point: SweepPoint) -> None:
        """Add a point with one write.

        Raises:
            WorkspaceError: The disk refused it.
        """
        path = self.path / "points.jsonl"
        line = json.dumps(point.to_json(), separators=(",", ":")).encode() + b"\n"
        with writing(path):
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            try:
                size = os.fstat(handle).st_size
                # A writer that was killed may have left half a line; ours must not be glued to it.
                glue = b"\n" if size and os.pread(handle, 1, size - 1) != b"\n" else b""
                if os.write(handle, glue + line) < len(glue + line):
                    os.ftruncate(handle, size)
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(handle)
            finally:
                os.close(handle)

    @property
    def state(self) -> State:
        """How it stands: `lost` where the process that drove it is gone without a word."""
        if lock.is_held(self.path / "driver"):
            return "running"
        try:
            said = str(self.ending()["state"])
        except (WorkspaceError, KeyError, TypeError):
            return "new"
        states: dict[str, State] = {"done": "done", "paused": "paused", "cancelled": "cancelled", "failed": "failed"}
        return states.get(said, "lost")

    def ending(self) -> dict[str, Any]:
        """Return what the last driver wrote: `state`, `run` (its folder's name), `reason`, `points`."""
        found: dict[str, Any] = read_json(self.path / "state.json")
        return found

    @property
    def finished(self) -> int:
        """How many points it had when a driver last wrote how it stands."""
        try:
            return int(self.ending()["points"])
        except (WorkspaceError, KeyError, TypeError, ValueError):
            return 0

    def say(self, state: str, run: str, reason: str = "") -> None:
        """Write how it stands."""
        told = {"state": state, "run": run, "reason": reason, "points": len(self.points())}
        write_json(self.path / "state.json", told)

    @contextlib.contextmanager
    def driving(self) -> Iterator[None]:
        """Hold the sweep for a block; a wish to pause or cancel from before is forgotten.

        Raises:
            BadInputError: Another process drives it.
        """
        lease = lock.acquire(self.path / "driver", timeout=_SECONDS_FOR_LEASE)
        if lease is None:
            raise BadInputError.of(
                "sweep", rule="must not be driven by another process", got=self.name,
                hint="follow that one, or pause it first",
            )  # fmt: skip
        try:
            for wish in ("pause", "cancel"):
                with writing(self.path):
                    (self.path / wish).unlink(missing_ok=True)
            yield
        finally:
            lock.release(lease)

    def drive(self, run: str, work: Callable[[], str]) -> str:
        """Hold the sweep while `work` is done; how it stands is written before and after.

        Args:
            run: The folder's name of the run that this turn is.
            work: Returns how it ended, `done` or `paused`.

        Raises:
            BadInputError: Another process drives it.
            WorkbenchError: What `work` raises.
        """
        with self.driving():
            self.say("running", run)
            try:
                state = work()
            except (JobCancelledError, KeyboardInterrupt):
                self.say("cancelled", run)
                raise
            except BaseException as error:
                self.say("failed", run, str(error))
                raise
            self.say(state, run)
        return state

    def wish(self, what: Literal["pause", "cancel"]) -> None:
        """Leave a wish for the process that drives it."""
        with writing(self.path):
            (self.path / what).touch()

    def wished(self, what: Literal["pause", "cancel"]) -> bool:
        """Say whether somebody wants it."""
        return (self.path / what).exists()

    def obey(self, run: Path) -> None:
        """End a turn that is not wanted any more.

        Args:
            run: Folder of the run that the turn is, which can be cancelled too.

        Raises:
            JobCancelledError: Somebody cancelled one of them.
        """
        if self.wished("cancel") or (run / "cancel").exists():
            raise JobCancelledError(f"{self.name} was cancelled; resume it to go on.")


def _is_question(found: dict[str, Any]) -> bool:
    dataset = found.get("dataset")
    settings = found.get("settings")
    return (
        isinstance(found.get("space"), dict)
        and isinstance(dataset, dict) and "checksum" in dataset
        and isinstance(settings, dict) and {"runs", "share_trajectory"} <= settings.keys()
        and isinstance(found.get("parent"), (dict, type(None)))
    )  # fmt: skip


def sweep_folders(workspace: Workspace) -> list[SweepFolder]:
    """Return the sweeps of a workspace, the one that was last worked on first."""
    if not workspace.sweeps.is_dir():
        return []
    found = [SweepFolder(path) for path in workspace.sweeps.iterdir() if (path / "space.json").is_file()]
    return sorted(found, key=lambda each: each.path.stat().st_mtime, reverse=True)
