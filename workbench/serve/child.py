"""The serving process: `python -m workbench.serve.child RUN_FOLDER PARENT_PID`.

It reads what to serve from `job.json` in its run folder, tells its parent how it goes in JSON lines on standard output,
logs to standard error, and supervises the workers that answer until it is told to stop or its parent ends. A parent of
0 means that it ends with nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.serve.logs import log_to_stderr
from workbench.serve.parent import end_with
from workbench.serve.process import SERVER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from workbench.serve.catalogue import Catalogue
    from workbench.serve.settings import ServeSettings
    from workbench.serve.supervision.control_door import ControlDoor


def main(folder: str, parent: str) -> None:
    """Serve what a run folder asks for.

    Args:
        folder: The run folder.
        parent: Process id of the parent; 0 where it may end before us.
    """
    herald = Herald(Path(folder))
    if int(parent):
        end_with(int(parent))
    log_to_stderr()
    logging.getLogger("workbench").setLevel(logging.INFO)  # what came and went
    from workbench.core.workspace import read_json
    from workbench.serve.catalogue import Catalogue
    from workbench.serve.settings import ServeSettings

    asked = read_json(Path(folder) / "job.json")["settings"]
    settings = ServeSettings.parse(asked["serve"])
    catalogue = Catalogue(settings, Path(asked["store"]), asked["versions"])
    with asyncio.Runner() as runner:
        if asked.get("engine") == "tensorflow-serving":
            from workbench.serve.original.running import Original

            herald.facts["probe"] = f"/v1/models/{settings.name}"
            code = runner.run(Original(settings, catalogue, Path(folder), herald).run())
        else:
            code = runner.run(_serve(settings, catalogue, Path(asked["store"]), Path(folder), herald))
    sys.exit(code)


async def _serve(settings: ServeSettings, catalogue: Catalogue, store: Path, folder: Path, herald: Herald) -> int:
    from workbench.serve.request_log.settings import FOLDER
    from workbench.serve.rollout.asked import rollout_handlers
    from workbench.serve.rollout.director import Director
    from workbench.serve.store import Store
    from workbench.serve.supervision.control_door import ControlDoor
    from workbench.serve.supervision.supervisor import Serving, Supervisor, automatic_workers

    workers = settings.workers or (1 if catalogue.has_saved_model() else automatic_workers())
    counters = _room_for_counters(folder / "counters", workers)
    supervisor = Supervisor(
        Serving(
            settings,
            workers=workers,
            configs=catalogue.configs,
            tell=herald.tell,
            counters=counters,
            audit=folder,
            requests=folder / FOLDER,
        )
    )

    async def reload(add: int | None = None) -> dict[str, Any]:
        if add is not None:
            catalogue.add(add)
        done, error = await supervisor.reload()
        return {"done": done.to_json(), "error": error}

    async def workers_() -> list[dict[str, Any]]:
        return [each.to_json() for each in supervisor.crew.status]

    async def versions() -> list[dict[str, Any]]:
        return supervisor.index()

    async def stop() -> None:
        supervisor.stop()

    async def about() -> dict[str, Any]:
        return herald.facts

    asked: dict[str, Callable[..., Awaitable[Any]]] = {
        "reload": reload,
        "workers": workers_,
        "versions": versions,
        "stop": stop,
        "about": about,
        **rollout_handlers(Director(supervisor, catalogue, Store(store), settings.name)),
    }
    try:
        async with ControlDoor(folder, asked) as door:
            herald.open(door)
            code = await supervisor.run()
            herald.end(code)  # those who watch look for it when the door closes
            return code
    finally:
        if counters is not None:
            shutil.rmtree(counters, ignore_errors=True)


def _room_for_counters(folder: Path, workers: int) -> Path | None:
    # What is mapped must have its room on the disk: where that is full, writing to it kills the process.
    from workbench.serve.tallies import FILE

    try:
        folder.mkdir(exist_ok=True)
        for index in range(workers):
            with (folder / f"counters-{index}.bin").open("ab") as file:
                os.posix_fallocate(file.fileno(), 0, FILE.itemsize)
    except (OSError, AttributeError):
        logging.getLogger(__name__).warning("no room for counters in %s; each worker counts for itself", folder)
        shutil.rmtree(folder, ignore_errors=True)
        return None
    return folder


class Herald:
    """Tells how the server stands: its parent in lines, handles elsewhere over the control door, all in files.

    Attributes:
        facts: What other processes need to find the server, and its state.
    """

    def __init__(self, folder: Path) -> None:
        # Native libraries print where they like; only our lines may reach the parent.
        self._lines = os.dup(sys.stdout.fileno())
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        self._folder = folder
        self._error: str | None = None
        self.facts: dict[str, Any] = {
            "pid": os.getpid(), "state": "starting", "ports": {}, "note": "", "control": "", "probe": "/healthz",
        }  # fmt: skip
        self._door: ControlDoor | None = None
        self._keep("state", state="running", attempt=1, pid=os.getpid())

    def open(self, door: ControlDoor) -> None:
        """Tell handles elsewhere too, from now on."""
        self._door = door
        self.facts["control"] = str(door.path)

    def tell(self, *, event: str, **facts: Any) -> None:
        """Say what happened; whoever does not listen, or a full disk, ends nothing."""
        if event == "listening":
            self.facts |= facts
            facts["control"] = self.facts["control"]
            self._keep_facts()
        elif event in ("loading", "ready", "draining"):
            self.facts["state"] = event
        if event == "ready":
            facts["probe"] = self.facts["probe"]
            self._keep("ready", ports=self.facts["ports"], note=self.facts["note"])
        elif event == "changed":
            self._keep("changed", **facts)
        elif event == "failed":
            self._error = facts["error"]
        with contextlib.suppress(OSError):
            os.write(self._lines, json.dumps({"event": event, **facts}).encode() + b"\n")
        if self._door is not None:
            self._door.tell(event=event, **facts)

    def end(self, code: int) -> None:
        """Note how it ended."""
        if code == 0:
            self._keep("state", state="done", attempt=1)
        else:
            from workbench.core.errors import ServingError

            error = ServingError(self._error or f"the server ended with exit code {code}.")
            self._keep("state", state="failed", attempt=1, error=error.to_dict())

    def _keep(self, type_: str, **facts: Any) -> None:
        from workbench.core.errors import WorkspaceError
        from workbench.core.events import EventWriter

        with contextlib.suppress(WorkspaceError, OSError):
            events = EventWriter(self._folder)
            try:
                events.emit(type_, **facts)
            finally:
                events.close()

    def _keep_facts(self) -> None:
        from workbench.core.errors import WorkspaceError
        from workbench.core.workspace import write_json

        with contextlib.suppress(WorkspaceError):
            write_json(self._folder / SERVER, self.facts, private=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
