"""Runs `tensorflow_model_server` in place of our supervisor, and tells of it in the same words."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import urllib.request
from typing import TYPE_CHECKING, Any

from workbench.core.errors import WorkbenchError
from workbench.core.workspace import write_atomic
from workbench.serve.config.model_server import write_models
from workbench.serve.control import Refusal, Reload
from workbench.serve.original.options import BINARY, MODELS, flags, texts
from workbench.serve.rollout.asked import refused_rollouts
from workbench.serve.supervision.control_door import ControlDoor
from workbench.serve.supervision.ports import hold
from workbench.serve.supervision.status import WorkerStatus

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from workbench.serve.catalogue import Catalogue
    from workbench.serve.child import Herald
    from workbench.serve.settings import ServeSettings

_ASK_SECONDS = 5.0
_BETWEEN_LOOKS = 0.05
_RELOAD_SECONDS = 60.0
_KILLED = 3

State = dict[int, tuple[str, str]]


class Original:
    """Serves until it is told to stop."""

    def __init__(self, settings: ServeSettings, catalogue: Catalogue, folder: Path, herald: Herald) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._folder = folder
        self._herald = herald
        self._rest = 0
        self._process: asyncio.subprocess.Process
        self._ending = asyncio.Event()

    async def run(self) -> int:
        """Start it, and return the exit code when it is over."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ending.set)
        asked: dict[str, Callable[..., Awaitable[Any]]] = {
            "reload": self._reload,
            "workers": self._workers,
            "versions": self._versions,
            "stop": self._stop,
            "about": self._about,
            **refused_rollouts("TensorFlow Serving has no rollouts; serve with engine='workbench'."),
        }
        async with ControlDoor(self._folder, asked) as door:
            self._herald.open(door)
            code = await self._serve()
            self._herald.end(code)
        return code

    async def _serve(self) -> int:
        try:
            command = self._command()
        except (WorkbenchError, OSError) as error:
            return self._fail(str(error))
        self._process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL)
        self._herald.tell(event="loading")
        ended = asyncio.create_task(self._process.wait())
        refusal = await self._until_it_answers(ended)
        if refusal:
            await self._end(ended)
            return self._fail(refusal)
        if not self._ending.is_set():
            self._herald.tell(event="ready")
        ending = asyncio.create_task(self._hear_end())
        await asyncio.wait([ended, ending], return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        if ended.done():
            return self._fail(f"{BINARY} ended with exit code {ended.result()}; see its log.")
        self._herald.tell(event="draining")
        await self._end(ended)
        return 0

    def _command(self) -> list[str]:
        settings, (config,) = self._settings, self._catalogue.configs()
        held = {"rest": hold(settings.host, settings.port)}
        if settings.grpc_port is not None:
            held["grpc"] = hold(settings.host, settings.grpc_port)
        ports = {door: port.number for door, port in held.items()}
        files = {}
        for name, text in texts(settings, config).items():
            write_atomic(self._folder / name, text, private=True)
            files[name] = str(self._folder / name)
        found = shutil.which(BINARY)
        if found is None:
            raise WorkbenchError(f"{BINARY} is not on PATH any more.")
        notes = [port.note for port in held.values() if port.note]
        for port in held.values():
            port.release()  # the original has no way to be handed one
        self._rest = ports["rest"]
        notes.append(f"{BINARY} listens on every address of this machine")
        self._herald.tell(event="listening", ports=ports, note="; ".join(notes))
        # By way of a process that asks the kernel to be ended with us: the original cannot be told to.
        guard = [sys.executable, "-m", "workbench.serve.parent", str(os.getpid())]
        return [*guard, found, *flags(settings, ports, files)]

    async def _until_it_answers(self, ended: asyncio.Task[int]) -> str:
        while not self._ending.is_set():
            if ended.done():
                return f"{BINARY} ended with exit code {ended.result()} before it was ready; see its log."
            states = await asyncio.to_thread(self._states)
            if any(state == "AVAILABLE" for state, _ in states.values()):
                return ""
            if states and all(state == "END" for state, _ in states.values()):
                return next(iter(states.values()))[1] or "there is nothing to serve"
            await asyncio.sleep(_BETWEEN_LOOKS)
        return ""

    async def _end(self, ended: asyncio.Task[int]) -> None:
        if not ended.done():
            self._process.terminate()
            await asyncio.wait([ended], timeout=self._settings.drain_seconds)
        if not ended.done():  # it is known to ignore SIGTERM
            self._process.kill()
            await ended

    def _fail(self, error: str) -> int:
        self._herald.tell(event="failed", error=error)
        return _KILLED

    async def _hear_end(self) -> None:
        await self._ending.wait()

    def _states(self) -> State:
        url = f"http://127.0.0.1:{self._rest}/v1/models/{self._settings.name}"
        try:
            with urllib.request.urlopen(url, timeout=_ASK_SECONDS) as reply:
                every = json.load(reply)["model_version_status"]
        except (OSError, ValueError, KeyError):
            return {}
        return {int(one["version"]): (one["state"], one["status"]["error_message"]) for one in every}

    # What handles ask.

    async def _reload(self, add: int | None = None) -> dict[str, Any]:
        before = _available(await asyncio.to_thread(self._states))
        if add is not None:
            self._catalogue.add(add)
        try:
            (config,) = self._catalogue.configs()
            write_atomic(self._folder / MODELS, write_models([config]), private=True)
        except WorkbenchError as error:
            return {"done": Reload().to_json(), "error": str(error)}
        now = await self._follow(set(self._catalogue.versions))
        after = _available(now)
        name = self._settings.name
        missing = {version: now.get(version, ("", "it was not loaded in time")) for version in self._catalogue.versions}
        done = Reload(
            loaded=tuple((name, version) for version in sorted(after - before)),
            unloaded=tuple((name, version) for version in sorted(before - after)),
            labels={name: config.labels} if config.labels else {},
            refused=tuple(
                Refusal(name=name, version=version, reason=error or f"it is {state}")
                for version, (state, error) in missing.items()
                if version not in after
            ),
        )
        return {"done": done.to_json(), "error": ""}

    async def _follow(self, wanted: set[int]) -> State:
        deadline = asyncio.get_running_loop().time() + _RELOAD_SECONDS
        while True:
            now = await asyncio.to_thread(self._states)
            settled = {version for version in wanted if now.get(version, ("", ""))[0] in ("AVAILABLE", "END")}
            gone = _available(now) <= wanted or self._settings.policy != "specific"
            if (settled == wanted and gone) or asyncio.get_running_loop().time() > deadline:
                return now
            await asyncio.sleep(_BETWEEN_LOOKS)

    async def _workers(self) -> list[dict[str, Any]]:
        one: dict[str, Any] = WorkerStatus(pid=self._process.pid, state="ready").to_json()
        return [one]

    async def _versions(self) -> list[dict[str, Any]]:
        states = await asyncio.to_thread(self._states)
        return [
            {"name": self._settings.name, "version": version, "state": state, "reason": error}
            for version, (state, error) in sorted(states.items(), reverse=True)
        ]

    async def _stop(self) -> None:
        self._ending.set()

    async def _about(self) -> dict[str, Any]:
        return self._herald.facts


def _available(states: State) -> set[int]:
    return {version for version, (state, _) in states.items() if state == "AVAILABLE"}
