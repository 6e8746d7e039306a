"""What a serving process does that answers no request itself: ports, workers, versions, and what is asked of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.core.errors import WorkbenchError
from workbench.serve.audit import OWNER, Audit
from workbench.serve.config.model_config import ModelConfig
from workbench.serve.control import Reload, ReloadError
from workbench.serve.status import RequestError
from workbench.serve.supervision.crew import Crew
from workbench.serve.supervision.ports import HeldPort, hold
from workbench.serve.supervision.remote_fleet import RemoteFleet
from workbench.serve.supervision.worker_process import WorkerProcess
from workbench.serve.versions.manager import Manager
from workbench.serve.versions.version import Retries

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from workbench.serve.settings import ServeSettings

FAILED = 3
"""Exit code of a server that could not serve anything."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Serving:
    """What a supervisor is told.

    Attributes:
        settings: How to answer.
        workers: Processes that answer.
        configs: Returns the models to be served; asked again when somebody asks for a reload.
        tell: Is told what happens, as facts with an `event`: listening, loading, ready, changed, failed, draining.
        counters: Folder of what workers count; None where each counts for itself.
        requests: Folder of what workers note of requests; None where they note nothing.
        audit: Folder of the audit log; None where none is kept.
        must_answer: End when nothing could be loaded at the start.
        ports_may_move: Take a free port where the one asked for is taken.
        repository: A folder of models, any of which may be loaded by its name.
    """

    settings: ServeSettings
    workers: int
    configs: Callable[[], Sequence[ModelConfig]]
    tell: Callable[..., None] = field(default=lambda **_: None)
    counters: Path | None = None
    requests: Path | None = None
    audit: Path | None = None
    must_answer: bool = True
    ports_may_move: bool = True
    repository: Path | None = None


class Supervisor:
    """Serves until it is told to stop.

    Attributes:
        crew: The workers.
        fleet: What they hold.
        ports: What is held, by door.
    """

    def __init__(self, asked: Serving) -> None:
        settings = asked.settings
        self._asked = asked
        self._audit = Audit(asked.audit)
        self.fleet = RemoteFleet()
        self._manager: Manager | None = None
        self._listening = False
        self._ending = asyncio.Event()
        self._forced = asyncio.Event()
        self.crew = Crew(asked.workers, self._start, self._prepare, self.fleet.leave)
        self.ports: dict[str, HeldPort] = {}
        # Workers share the cores.
        threads = settings.batching.num_batch_threads or max(1, automatic_workers() // asked.workers)
        shared = settings.replace(batching=settings.batching.replace(num_batch_threads=threads))
        self._plain_settings = shared.model_dump(mode="json")

    async def run(self) -> int:
        """Hold the ports, serve the models, and return the exit code when it is over."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        code = 0
        serving = asyncio.create_task(self._serve())
        ending = asyncio.create_task(self._hear_end())
        await asyncio.wait([serving, ending], return_when=asyncio.FIRST_COMPLETED)
        if serving.done() and (error := serving.result()):
            code = FAILED
            self._asked.tell(event="failed", error=error)
            self._forced.set()
        else:
            await ending
            self._asked.tell(event="draining")
        for task in (serving, ending):
            task.cancel()
        if self._manager is not None:
            await self._manager.close()
        await self.crew.drain(self._asked.settings.drain_seconds, self._forced)
        return code

    def stop(self) -> None:
        """End in order; asked a second time, at once."""
        self._audit.note("stop", "", "OK", peer=OWNER)
        if self._ending.is_set():
            self._forced.set()
        self._ending.set()

    async def reload(self) -> tuple[Reload, str]:
        """Serve what is to be served now, and return what was done and why the rest was not."""
        assert self._manager is not None, "nobody is let in before"
        try:
            with self._audit.action("reload", "", peer=OWNER):
                return await self._manager.reload([*self._asked.configs()]), ""
        except ReloadError as error:
            return error.done, error.message
        except RequestError as error:
            return Reload(), error.message
        except WorkbenchError as error:
            return Reload(), str(error)

    def index(self) -> list[dict[str, Any]]:
        """Return every version of every model, plain JSON."""
        every = self._manager.index() if self._manager is not None else []
        return [
            {"name": each.name, "version": each.version, "state": each.state, "error": each.reason} for each in every
        ]

    async def _hear_end(self) -> None:
        await self._ending.wait()

    async def _serve(self) -> str:
        """Load everything and listen; return why that is not possible, empty where it was."""
        try:
            self._hold()
            manager = self._manager = self._manage([*self._asked.configs()])
        except (WorkbenchError, OSError) as error:
            return str(error)
        await self.crew.begin()
        if not self.crew.ready:
            return f"no worker could be started: {self.crew.status[0].error}; the log says more."
        self._asked.tell(event="loading")
        try:
            done = await manager.start()
        except RequestError as error:
            return error.message
        if self._asked.must_answer and not any(one.state == "AVAILABLE" for one in manager.index()):
            return done.refused[0].reason if done.refused else "there is nothing to serve"
        self._listening = True
        await self.crew.settled()
        # Only the first has the Unix socket: who finds a port open may use that too.
        for first in (True, False):
            some = [worker for worker in self.crew.ready if (worker.index == 0) is first]
            for refusal in await asyncio.gather(*map(self._listen_or_end, some)):
                if refusal:  # the ports are held for it, so the next one would not fare better
                    return f"no worker can listen: {refusal}"
        if not self.crew.ready:
            await self.crew.settled()
        self._asked.tell(event="ready")
        await manager.run()
        return ""

    def _manage(self, configs: list[ModelConfig]) -> Manager:
        settings = self._asked.settings
        return Manager(
            self.fleet,
            configs,
            poll_seconds=settings.poll_seconds,
            retries=Retries(settings.max_load_retries, settings.load_retry_seconds),
            labels=settings.label_rule,
            repository=self._asked.repository,
            on_change=self._on_change,
        )

    def _on_change(self, done: Reload) -> None:
        self._asked.tell(event="changed", done=done.to_json())

    def _hold(self) -> None:
        settings, moving = self._asked.settings, self._asked.ports_may_move
        wanted = {"rest": settings.port, "grpc": settings.grpc_port, "oip": settings.oip_port}
        for door, port in wanted.items():
            if port is not None:
                self.ports[door] = hold(settings.host, port, fallback=moving)
        notes = "; ".join(port.note for port in self.ports.values() if port.note)
        self._asked.tell(event="listening", ports=self._numbers(), note=notes)

    def _numbers(self) -> dict[str, int]:
        return {door: port.number for door, port in self.ports.items()}

    async def _start(self, index: int) -> WorkerProcess:
        worker: WorkerProcess

        async def leaving() -> None:
            await self.crew.replace(worker, self._asked.settings.drain_seconds)

        handlers: dict[str, Callable[..., Awaitable[Any]]] = {
            "leaving": leaving,
            "control_reload": self._on_reload,
            "control_load": self._on_load,
            "control_unload": self._on_unload,
        }
        worker = await WorkerProcess.start(index, handlers)
        return worker

    async def _prepare(self, worker: WorkerProcess) -> None:
        counters = str(self._asked.counters) if self._asked.counters is not None else None
        requests = str(self._asked.requests) if self._asked.requests is not None else None
        await worker.channel.call(
            "begin", settings=self._plain_settings, index=worker.index, counters=counters, requests=requests
        )
        await self.fleet.join(worker)
        if self._listening:
            await self._listen(worker)

    async def _listen(self, worker: WorkerProcess) -> None:
        await worker.channel.call("listen", ports=self._numbers(), first=worker.index == 0)

    async def _listen_or_end(self, worker: WorkerProcess) -> str:
        """Return why a worker cannot listen, empty where it does, or died, so that its successor will."""
        try:
            await self._listen(worker)
        except RequestError as error:
            _log.error("worker %d cannot listen: %s", worker.pid, error.message)
            worker.kill()
            return error.message
        except ConnectionError:
            pass
        return ""

    async def _on_reload(self, configs: list[dict[str, Any]], caller: list[str]) -> dict[str, Any]:
        assert self._manager is not None
        names = ", ".join(str(each.get("name")) for each in configs)
        with self._audit.action("reload", names, key_id=caller[0], peer=caller[1]):
            done = await self._manager.reload([ModelConfig.parse(each) for each in configs])
        plain: dict[str, Any] = done.to_json()
        return plain

    async def _on_load(self, name: str, caller: list[str]) -> None:
        assert self._manager is not None
        with self._audit.action("load", name, key_id=caller[0], peer=caller[1]):
            await self._manager.load(name)

    async def _on_unload(self, name: str, caller: list[str]) -> None:
        assert self._manager is not None
        with self._audit.action("unload", name, key_id=caller[0], peer=caller[1]):
            await self._manager.unload(name)


def automatic_workers() -> int:
    """Return how many workers use this machine well: one a core that this process may use."""
    with contextlib.suppress(AttributeError):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
