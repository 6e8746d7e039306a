"""A process that answers: `python -m workbench.serve.worker CONTROL_FD PARENT_PID`.

Its supervisor tells it over a socket what to load and when to listen; it asks the supervisor for what only that may
do (reload, load, unload). It ends with its supervisor, whatever happens.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.serve.logs import log_to_stderr
from workbench.serve.parent import die_with
from workbench.serve.supervision.channel import LONGEST_LINE, Channel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from workbench.serve.doors import Doors
    from workbench.serve.inference import Inference
    from workbench.serve.versions.local_fleet import LocalFleet

_OF_FLEET = ("serve", "unload", "show", "label", "forget")
_SWITCH_SECONDS = 5e-4  # a thread that infers does not keep the loop waiting for 5 ms


def main(control: str, parent: str) -> None:
    """Answer until the supervisor says otherwise.

    Args:
        control: Descriptor of the socket to the supervisor.
        parent: The supervisor's process id.
    """
    die_with(int(parent))
    log_to_stderr()
    sys.setswitchinterval(_SWITCH_SECONDS)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_work(int(control)))
    # Threads of engines need not be waited for.
    os._exit(0)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _work(control: int) -> None:
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=control), limit=LONGEST_LINE)
    worker = Worker()
    channel = worker.channel = Channel(reader, writer, worker.handlers())
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, channel.tell, "leaving")
    loop.add_signal_handler(signal.SIGINT, lambda: None)
    tasks = [asyncio.create_task(each) for each in (channel.run(), worker.left.wait())]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    worker.close()


class Worker:
    """What one process holds and does.

    Attributes:
        channel: To the supervisor.
        left: It is told to end.
    """

    channel: Channel

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self._doors: Doors | None = None
        self._fleet: LocalFleet
        self._inference: Inference | None = None

    def handlers(self) -> dict[str, Callable[..., Awaitable[Any]]]:
        """Return what the supervisor can ask, by name."""
        own = (
            self.begin, self.load, self.listen, self.alive, self.drain, self.leave,
            self.route, self.compared, self.refusal,
        )  # fmt: skip
        return {each.__name__: each for each in own} | {name: self._on_fleet(name) for name in _OF_FLEET}

    async def begin(
        self, settings: dict[str, Any], index: int, counters: str | None, requests: str | None = None
    ) -> None:
        """Take the settings."""
        from workbench.serve.counters import Counters
        from workbench.serve.doors import Doors
        from workbench.serve.inference import Inference
        from workbench.serve.models import Models
        from workbench.serve.request_log import RequestLog
        from workbench.serve.settings import ServeSettings
        from workbench.serve.supervision.remote_control import RemoteControl
        from workbench.serve.versions.local_fleet import LocalFleet
        from workbench.serve.versions.making import maker

        asked = ServeSettings.parse(settings)

        models = Models({})
        counted = Counters(folder=None if counters is None else Path(counters), worker=index)
        self._fleet = LocalFleet(models, maker(asked, counted))
        log = None
        if asked.request_log is not None and requests is not None:
            log = RequestLog(Path(requests), index, asked.request_log, counted)
        self._inference = Inference(models, counted, asked.batching, log)
        self._doors = Doors(asked, self._inference, RemoteControl(self.channel, models))

    async def load(self, name: str, version: int, path: str) -> None:
        """Open a version and run it once, without answering with it yet."""
        await self._fleet.load(name, version, Path(path))

    async def listen(self, ports: dict[str, int], *, first: bool) -> None:
        """Open the doors."""
        assert self._doors is not None, "it has begun"
        await self._doors.open(ports, first=first)
        gc.collect()
        gc.freeze()  # what is loaded stays: the collector need not walk it at every hundredth request

    async def route(self, name: str, route: dict[str, Any] | None) -> None:
        """Send a model's requests that name no version another way."""
        from workbench.serve.rollout.route import Route

        self._core.set_route(name, None if route is None else Route.parse(route))

    async def compared(self, name: str) -> dict[str, Any] | None:
        """Return what was counted of a rollout that runs."""
        return self._core.traffic.compared(name)

    async def refusal(self, name: str, stable: int, canary: int) -> str:
        """Return why two versions cannot answer the same requests."""
        return self._core.traffic.refusal(name, stable, canary)

    async def alive(self) -> None:
        """Show that the loop turns."""

    async def drain(self, seconds: float) -> None:
        """Close the doors when all that was asked is answered."""
        if self._doors is not None:
            await self._doors.close(seconds)

    async def leave(self) -> None:
        """End."""
        self.left.set()

    def close(self) -> None:
        """Write what was noted."""
        if self._inference is not None:
            self._inference.close()

    @property
    def _core(self) -> Inference:
        assert self._inference is not None, "it has begun"
        return self._inference

    def _on_fleet(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def ask(**arguments: Any) -> Any:
            return await getattr(self._fleet, name)(**arguments)

        return ask


if __name__ == "__main__":
    main(*sys.argv[1:])
