"""A server in a child process and the handle to it."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import threading
import weakref
from typing import TYPE_CHECKING, Any, Literal, Self

from workbench.core.artifact import Artifact
from workbench.core.errors import ServingError, WorkspaceError
from workbench.core.events import EventWriter
from workbench.core.workspace import Workspace
from workbench.jobs.lock import release
from workbench.jobs.request import Request
from workbench.jobs.submission import new_run
from workbench.serve.client import Client
from workbench.serve.process import LOG, ChildProcess
from workbench.serve.settings import ServeSettings
from workbench.serve.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from workbench.core.records import ServingStats

State = Literal["starting", "ready", "failed", "stopped"]

_START_SECONDS = 30.0
_DRAIN_SECONDS = 8.0  # a little more than the child gives itself
_LIVE: weakref.WeakSet[Sandbox] = weakref.WeakSet()


def serve(
    artifact: Artifact | Mapping[int, Artifact],
    name: str = "model",
    *,
    port: int = 0,
    threads: int = 1,
    workspace: Workspace | None = None,
    wait: bool = True,
) -> Sandbox:
    """Publish a model in the workspace's store and serve it on this machine.

    Args:
        artifact: An ONNX or TFLite artifact, which becomes the model's next version, or one for each version number.
        name: Model name in the URL and in the store.
        port: TCP port; a free one where 0, or where it is taken (`note` then says so).
        threads: Threads one inference may use.
        workspace: Where the store and the run folder are.
        wait: Return when it answers; otherwise at once, with the state `starting`.

    Returns:
        The handle; it ends its server when it is stopped, left as a context, or the interpreter exits.

    Raises:
        BadInputError: The artifact cannot be served, or the name or a number is not allowed.
        WorkspaceError: A file was changed, or the workspace cannot be written.
        ServingError: The server could not start; the message says why.
    """
    workspace = workspace or Workspace.default()
    settings = ServeSettings(name=name, port=port, threads=threads)
    store = Store.of(workspace)
    if isinstance(artifact, Artifact):
        versions = [store.publish(artifact, name)]
    else:
        versions = [store.publish(one, name, version) for version, one in sorted(artifact.items())]
    sandbox = Sandbox(settings, store, versions, workspace)
    return sandbox.wait() if wait else sandbox


class Sandbox:
    """The handle to a serving child process; its methods may be called from any thread.

    Its run folder is listed among the jobs, as running while the server lives, whoever asks.

    Attributes:
        settings: What was asked.
        versions: Versions it serves.
        folder: Its run folder, with `job.json`, `events.jsonl` and `stderr.log`.
    """

    def __init__(self, settings: ServeSettings, store: Store, versions: list[int], workspace: Workspace) -> None:
        self.settings = settings
        self.versions = tuple(versions)
        asked = {"serve": settings.model_dump(mode="json"), "store": str(store.base), "versions": versions}
        request = Request.of("workbench.serve.sandbox:serve", asked, "serve", where="asker")
        self._state: State = "starting"
        self._error: str | None = None
        self._note = ""
        self._pid: int | None = None
        self._client: Client | None = None
        self._stopping = False
        self._changed = threading.Condition()
        self._owner = os.getpid()
        self.folder, lease = new_run(workspace, request)
        with contextlib.ExitStack() as undo:
            undo.callback(shutil.rmtree, self.folder, ignore_errors=True)
            undo.callback(release, lease)
            self._events = EventWriter(self.folder)
            undo.callback(self._events.close)
            self._process = ChildProcess(self.folder, lease, self._on_event)
            self._process.start()
            undo.pop_all()  # from here on the watching thread sees to all three
        _LIVE.add(self)

    @property
    def name(self) -> str:
        """Model name."""
        return self.settings.name

    @property
    def state(self) -> State:
        """`starting`, `ready`, `failed` (then `error` says why) or `stopped`."""
        return self._state

    @property
    def error(self) -> str | None:
        """Why it failed, one sentence."""
        return self._error

    @property
    def note(self) -> str:
        """What a user should know, e.g. that the port was taken; empty where there is nothing."""
        return self._note

    @property
    def pid(self) -> int | None:
        """Process id of the server."""
        return self._pid

    @property
    def url(self) -> str:
        """Address of the server.

        Raises:
            ServingError: It has none (yet).
        """
        return self.client.url

    @property
    def client(self) -> Client:
        """A client for the model served.

        Raises:
            ServingError: The server is not up.
        """
        if self._client is None:
            raise ServingError(self._error or f"the server of {self.name} is {self._state}; call `wait()` first.")
        return self._client

    def stats(self) -> ServingStats:
        """Return what the server has counted.

        Raises:
            ServingError: It does not answer.
        """
        return self.client.stats()

    def wait(self, timeout: float = _START_SECONDS) -> Self:
        """Return when the server answers.

        Args:
            timeout: Seconds to wait.

        Raises:
            ServingError: It failed, was stopped, or took longer.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._state != "starting", timeout)
        if self._state == "starting":
            self.stop()
            raise ServingError(
                f"the server of {self.name} must be ready within {timeout:g} s; see {self.folder / LOG}."
            )
        if self._state != "ready":
            raise ServingError(self._error or f"the server of {self.name} was stopped.")
        return self

    def wait_end(self, timeout: float | None = None) -> State:
        """Return the state when the server has ended, or after the time given, in seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._state in ("failed", "stopped"), timeout)
        return self._state

    def stop(self) -> None:
        """End the server: requests in flight are answered, then the process is gone; nothing to do where it is."""
        self._ask_to_end()
        if not self._process.join(_DRAIN_SECONDS):
            self._process.kill()
            self._process.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        where = f" at {self._client.url}" if self._client is not None and self._state == "ready" else ""
        return f"Sandbox({self.name!r}, {self._state}{where})"

    def _ask_to_end(self) -> None:
        self._stopping = True
        self._process.terminate()

    # What follows runs on the watching thread.

    def _on_event(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if kind == "started":
            self._pid = event["pid"]
            self._tell("state", state="running", attempt=1, pid=self._pid)
        elif kind == "listening":
            self._note = event["note"]
            self._client = Client(f"http://{self.settings.host}:{event['ports']['rest']}", self.name)
        elif kind == "ready":
            self._ask_whether_ready()
        elif kind == "failed":
            self._error = event["error"]
        elif kind == "refused":
            self._set("failed", f"the server of {self.name} could not be started ({event['error']}).")
        elif kind == "ended":
            self._on_end(event["code"])

    def _ask_whether_ready(self) -> None:
        try:
            states = {one.version: one.state for one in self.client.status()}
        except ServingError as error:
            self._refuse(str(error))
            return
        if "AVAILABLE" in states.values():
            self._tell("ready", url=self.client.url, note=self._note)
            self._set("ready")
        else:
            self._refuse(f"the server of {self.name} must have a version that answers, got {states}.")

    def _refuse(self, error: str) -> None:
        self._error = error
        self._process.kill()

    def _on_end(self, code: int) -> None:
        if self._client is not None:
            self._client.close()
        if self._stopping and self._error is None:
            self._set("stopped")
            return
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        self._set("failed", self._error or f"the server of {self.name} {how}; see {self.folder / LOG}.")

    def _set(self, state: State, error: str | None = None) -> None:
        if state == "stopped":
            self._tell("state", state="done", attempt=1)
        elif state == "failed":
            self._tell("state", state="failed", attempt=1, error=ServingError(error).to_dict())
        if state != "ready":
            self._events.close()
        with self._changed:
            self._state, self._error = state, error
            self._changed.notify_all()

    def _tell(self, type_: str, **facts: Any) -> None:
        with contextlib.suppress(WorkspaceError):  # a full disk must not end the watch
            self._events.emit(type_, **facts)


@atexit.register
def _stop_all() -> None:
    mine = [sandbox for sandbox in _LIVE if sandbox._owner == os.getpid()]  # noqa: SLF001 - this module's own
    for sandbox in mine:
        sandbox._ask_to_end()  # noqa: SLF001
    for sandbox in mine:
        sandbox.stop()
