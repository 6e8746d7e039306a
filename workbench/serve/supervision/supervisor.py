"""What a serving process does that answers no request itself: ports, workers, versions, and what is asked of it."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.serve.supervision.crew import Crew
from workbench.serve.supervision.ports import HeldPort, hold
from workbench.serve.supervision.remote_fleet import RemoteFleet
from workbench.serve.supervision.worker_process import WorkerProcess
from workbench.serve.versions.fleet import LoadError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.serve.config.model_config import ModelConfig
    from workbench.serve.settings import ServeSettings


class Supervisor:
    """Serves until it is told to stop.

    Attributes:
        ports: What is held, by door.
    """

    def __init__(self, settings: ServeSettings, *, workers: int, tell: Callable[..., None]) -> None:
        self._settings = settings
        self._tell = tell
        self._fleet = RemoteFleet()
        self._crew = Crew(workers, self._start, self._prepare, self._fleet.leave)
        self._listening = False
        self._ending = asyncio.Event()
        self._forced = asyncio.Event()
        self.ports: dict[str, HeldPort] = {}

    async def run(self, configs: Sequence[ModelConfig]) -> int:
        """Hold the ports, serve the models, and return the exit code when it is over.

        Args:
            configs: The models.
        """
        self._hear_signals()
        self._hold()
        serving = asyncio.create_task(self._serve(configs))
        ending = asyncio.create_task(self._ending.wait())
        await asyncio.wait([serving, ending], return_when=asyncio.FIRST_COMPLETED)
        if serving.done() and not await serving:
            self._forced.set()
        elif not self._ending.is_set():
            await self._ending.wait()
        serving.cancel()
        self._tell(event="draining")
        await self._crew.drain(self._settings.drain_seconds, self._forced)
        return 0

    async def _serve(self, configs: Sequence[ModelConfig]) -> bool:
        """Load everything, listen, and tell whether there is anything that answers."""
        await self._crew.begin()
        error = "there is nothing to serve"
        served = 0
        for config in configs:
            base = Path(config.base_path) / config.name
            found = {int(each.name): each for each in base.iterdir() if each.name.isdigit()}
            for version in getattr(config.policy, "versions", ()) or config.policy.chosen(found):
                try:
                    await self._fleet.load(config.name, version, found.get(version, base / "missing"))
                    await self._fleet.serve(config.name, version)
                    served += 1
                except LoadError as refused:
                    error = str(refused)
                    await self._fleet.show(config.name, version, "END", error)
            await self._fleet.label(config.name, config.labels)
        if not served:
            self._tell(event="failed", error=error)
            return False
        self._listening = True
        await asyncio.gather(*(self._listen(worker) for worker in self._crew.ready))
        self._tell(event="ready")
        return True

    def _hold(self) -> None:
        settings = self._settings
        self.ports["rest"] = hold(settings.host, settings.port)
        if settings.grpc_port is not None:
            self.ports["grpc"] = hold(settings.host, settings.grpc_port)
        notes = "; ".join(port.note for port in self.ports.values() if port.note)
        self._tell(event="listening", ports={door: port.number for door, port in self.ports.items()}, note=notes)

    def _hear_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)

    def stop(self) -> None:
        """End in order; asked a second time, at once."""
        if self._ending.is_set():
            self._forced.set()
        self._ending.set()

    async def _start(self, index: int) -> WorkerProcess:
        worker: WorkerProcess

        async def leaving() -> None:
            await self._crew.replace(worker, self._settings.drain_seconds)

        worker = await WorkerProcess.start(index, {"leaving": leaving})
        return worker

    async def _prepare(self, worker: WorkerProcess) -> None:
        await worker.channel.call("begin", settings=self._settings.model_dump(mode="json"))
        await self._fleet.join(worker)
        if self._listening:
            await self._listen(worker)

    async def _listen(self, worker: WorkerProcess) -> None:
        ports = {door: port.number for door, port in self.ports.items()}
        await worker.channel.call("listen", ports=ports, first=worker.index == 0)


def serve_for_ever(
    settings: ServeSettings, configs: Sequence[ModelConfig], *, workers: int, tell: Callable[..., None]
) -> int:
    """Run a supervisor in this process and return its exit code."""

    async def serve() -> int:
        return await Supervisor(settings, workers=workers, tell=tell).run(configs)

    with asyncio.Runner() as runner:
        return runner.run(serve())


def automatic_workers() -> int:
    """Return how many workers use this machine well: one a core that this process may use."""
    try:
        return max(1, len(os.sched_getaffinity(0)))
    except AttributeError:
        return os.cpu_count() or 1
