"""The handle to a server in another process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Self

from workbench.core.errors import ServingError
from workbench.serve.control import Reload
from workbench.serve.process import LOG
from workbench.serve.rollout.control import Rollouts
from workbench.serve.store import check_may_be
from workbench.serve.supervision.status import WorkerStatus
from workbench.serve.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.core.artifact import Artifact
    from workbench.core.records import Override, ServingStats, Verdict
    from workbench.serve.client import Client
    from workbench.serve.process import Link
    from workbench.serve.settings import ServeSettings
    from workbench.serve.store import Store
    from workbench.serve.watch import State

START_SECONDS = 60.0


class Sandbox(Rollouts):
    """The handle to a serving child process; its methods may be called from any thread.

    Its run folder is listed among the jobs, as running while the server lives, whoever asks.

    Attributes:
        settings: What was asked.
        folder: Its run folder, with `job.json`, `events.jsonl` and `stderr.log`.
        keep: The server outlives the process that started it, until somebody stops it.
    """

    def __init__(
        self,
        folder: Path,
        settings: ServeSettings,
        store: Store,
        link: Callable[[Callable[[dict[str, Any]], None]], Link],
        *,
        keep: bool = False,
    ) -> None:
        """Hold a server.

        Args:
            folder: Its run folder.
            settings: What was asked.
            store: Where its models lie.
            link: Returns what holds the process, given what is to be told of its events.
            keep: It outlives the process that started it.
        """
        self.settings = settings
        self.folder = folder
        self.keep = keep
        self.owner = os.getpid()
        self._store = store
        self._watch = Watch(folder, settings, link)
        self._watch.start()

    @property
    def name(self) -> str:
        """Model name."""
        return self.settings.name

    @property
    def store(self) -> Store:
        """The model store that it serves from."""
        return self._store

    @property
    def state(self) -> State:
        """`starting`, `loading`, `ready`, `draining`, `failed` (then `error` says why) or `stopped`."""
        return self._watch.state

    @property
    def error(self) -> str | None:
        """Why it failed, one sentence."""
        return self._watch.error

    @property
    def note(self) -> str:
        """What a user should know, e.g. that the port was taken; empty where there is nothing."""
        return self._watch.note

    @property
    def pid(self) -> int | None:
        """Process id of the supervisor."""
        return self._watch.pid

    @property
    def url(self) -> str:
        """Address of the REST port.

        Raises:
            ServingError: It has none yet, or no longer.
        """
        return self._watch.reached().rest

    @property
    def v2_url(self) -> str:
        """Address of the Open Inference Protocol: a port of its own where there is one, else the REST port.

        Raises:
            ServingError: It has none yet, or no longer.
        """
        return self._watch.reached().v2

    @property
    def grpc(self) -> str:
        """Address of the gRPC port, `host:port`.

        Raises:
            ServingError: It has none.
        """
        found = self._watch.reached().grpc
        if found is None:
            raise ServingError(f"the server of {self.name} has no gRPC port; give grpc_port=0 for a free one.")
        return found

    @property
    def proxy_url(self) -> str | None:
        """Address of the REST port for a browser behind JupyterHub; None where there is no hub, or no port."""
        found = self._watch.where
        return None if found is None else found.proxy

    @property
    def client(self) -> Client:
        """A client for the model served; `client(api_key=…)` is one with a key, or with certificates.

        Raises:
            ServingError: The server is not up.
        """
        return self._watch.asker()

    @property
    def versions(self) -> tuple[int, ...]:
        """Versions of the model that answer now, oldest first.

        Raises:
            ServingError: The server does not answer.
        """
        every = self._watch.ask("versions")
        return tuple(
            sorted(one["version"] for one in every if one["name"] == self.name and one["state"] == "AVAILABLE")
        )

    @property
    def workers(self) -> tuple[WorkerStatus, ...]:
        """How each process that answers stands.

        Raises:
            ServingError: The server does not answer.
        """
        return tuple(WorkerStatus.from_json(one) for one in self._watch.ask("workers"))

    def stats(self) -> ServingStats:
        """Return what the server has counted.

        Raises:
            ServingError: It does not answer.
        """
        return self.client.stats()

    def logs(self) -> str:
        """Return what the server's processes wrote."""
        try:
            return (self.folder / LOG).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def reload(self) -> Reload:
        """Serve what the store and its labels say now, and return what that changed.

        Raises:
            ServingError: Something was not done; the message says what and why.
        """
        return self._reload()

    def publish(
        self,
        artifact: Artifact,
        *,
        label: str | None = None,
        verdict: Verdict | None = None,
        override: Override | None = None,
    ) -> Reload:
        """Serve a new version in place of the oldest; no request fails meanwhile.

        Args:
            artifact: Becomes the model's next version in the store.
            label: Shall mean the new version, once it answers.
            verdict: What its gate said; `stable` means only what passed or was let through.
            override: Who lets it through, and why, where its gate did not.

        Returns:
            What was done; the version answers.

        Raises:
            BadInputError: The artifact cannot be served, the label is none, or it may not be called stable.
            GateFailedError: It did not pass its gate, and nobody lets it through.
            WorkspaceError: Its file was changed, or the store cannot be written.
            ServingError: It cannot be loaded, the message says why; what answered before goes on.
        """
        if label is not None:
            check_may_be(label, verdict, override)
        version = self._store.publish(artifact, self.name, verdict=verdict, override=override)
        done = self._reload(version)
        for one in done.refused:
            if one.version == version:
                raise ServingError(one.reason)
        if label is None:
            return done
        self._store.label(self.name, label, version, bless=None, override=override)  # it answers already
        return Reload.merged([done, self._reload(version)])

    def wait(self, timeout: float = START_SECONDS) -> Self:
        """Return when the server answers.

        Args:
            timeout: Seconds to wait.

        Raises:
            ServingError: It failed, was stopped, or took longer.
        """
        self._watch.wait_ready(timeout)
        return self

    def wait_end(self, timeout: float | None = None) -> State:
        """Return the state when the server has ended, or after the time given, in seconds."""
        return self._watch.wait_end(timeout)

    def stop(self) -> None:
        """End the server: requests in flight are answered, then the process is gone; nothing to do where it is."""
        self._watch.stop()

    def ask_to_end(self) -> None:
        """Have the server finish what it is at and end, without waiting for it."""
        self._watch.ask_to_end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        found = self._watch.where
        if self.state != "ready" or found is None:
            return f"Sandbox({self.name!r}, {self.state})"
        hub = f", from outside {found.proxy}" if found.proxy else ""
        return f"Sandbox({self.name!r}, ready at {found.rest}{hub})"

    def _reload(self, add: int | None = None) -> Reload:
        told = self._watch.ask("reload", START_SECONDS, add=add)
        if told["error"]:
            raise ServingError(told["error"])
        return Reload.from_json(told["done"])
