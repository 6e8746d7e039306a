"""The handle to a server in another process."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import threading
from typing import TYPE_CHECKING, Any, Literal, Self

from workbench.core.errors import ServingError, WorkspaceError
from workbench.core.events import EventWriter
from workbench.jobs.state import FINAL, standing
from workbench.serve.client import Client
from workbench.serve.control import Reload
from workbench.serve.hub import proxied
from workbench.serve.process import LOG
from workbench.serve.store import check_label
from workbench.serve.supervision.asking import ask
from workbench.serve.supervision.status import WorkerStatus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from workbench.core.artifact import Artifact
    from workbench.core.records import ServingStats
    from workbench.serve.process import Link
    from workbench.serve.settings import ServeSettings
    from workbench.serve.store import Store

State = Literal["starting", "loading", "ready", "draining", "failed", "stopped"]

START_SECONDS = 60.0
_SLACK_SECONDS = 3.0  # a little more than the child gives itself
_ASK_SECONDS = 10.0
_HTTP_OK = 200
_BEFORE_READY = ("starting", "loading")
_ENDED = ("failed", "stopped")


class Sandbox:
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
        self._state: State = "starting"
        self._error: str | None = None
        self._note = ""
        self._pid: int | None = None
        self._ports: dict[str, int] = {}
        self._control = ""
        self._client: Client | None = None
        self._stopping = False
        self._changed = threading.Condition()
        self._process = link(self._on_event)
        self._process.start()

    @property
    def name(self) -> str:
        """Model name."""
        return self.settings.name

    @property
    def state(self) -> State:
        """`starting`, `loading`, `ready`, `draining`, `failed` (then `error` says why) or `stopped`."""
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
        """Process id of the supervisor."""
        return self._pid

    @property
    def url(self) -> str:
        """Address of the REST port.

        Raises:
            ServingError: It has none (yet).
        """
        return self.client.url

    @property
    def v2_url(self) -> str:
        """Address of the Open Inference Protocol: a port of its own where there is one, else the REST port.

        Raises:
            ServingError: It has none (yet).
        """
        return f"{self._address('oip' if 'oip' in self._ports else 'rest')}/v2"

    @property
    def grpc(self) -> str:
        """Address of the gRPC port, `host:port`.

        Raises:
            ServingError: It has none.
        """
        if not self._ports:
            raise self._not_up()
        if "grpc" not in self._ports:
            raise ServingError(f"the server of {self.name} has no gRPC port; give grpc_port=0 for a free one.")
        return f"{_reached(self.settings.host)}:{self._ports['grpc']}"

    @property
    def proxy_url(self) -> str | None:
        """Address of the REST port for a browser behind JupyterHub; None where there is no hub, or no port yet."""
        return proxied(self._ports["rest"]) if self._ports else None

    @property
    def client(self) -> Client:
        """A client for the model served.

        Raises:
            ServingError: The server is not up.
        """
        if self._client is None:
            raise self._not_up()
        return self._client

    @property
    def versions(self) -> tuple[int, ...]:
        """Versions of the model that answer now, oldest first.

        Raises:
            ServingError: The server does not answer.
        """
        every = self._ask("versions", _ASK_SECONDS)
        return tuple(
            sorted(one["version"] for one in every if one["name"] == self.name and one["state"] == "AVAILABLE")
        )

    @property
    def workers(self) -> tuple[WorkerStatus, ...]:
        """How each process that answers stands.

        Raises:
            ServingError: The server does not answer.
        """
        return tuple(WorkerStatus.from_json(one) for one in self._ask("workers", _ASK_SECONDS))

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

    def publish(self, artifact: Artifact, *, label: str | None = None) -> Reload:
        """Serve a new version in place of the oldest; no request fails meanwhile.

        Args:
            artifact: Becomes the model's next version in the store.
            label: Shall mean the new version, once it answers.

        Returns:
            What was done; the version answers.

        Raises:
            BadInputError: The artifact cannot be served, or the label is none.
            WorkspaceError: Its file was changed, or the store cannot be written.
            ServingError: It cannot be loaded, the message says why; what answered before goes on.
        """
        if label is not None:
            check_label(label)
        version = self._store.publish(artifact, self.name)
        done = self._reload(version)
        for one in done.refused:
            if one.version == version:
                raise ServingError(one.reason)
        if label is None:
            return done
        self._store.label(self.name, label, version)
        return Reload.merged([done, self._reload(version)])

    def wait(self, timeout: float = START_SECONDS) -> Self:
        """Return when the server answers.

        Args:
            timeout: Seconds to wait.

        Raises:
            ServingError: It failed, was stopped, or took longer.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._state not in _BEFORE_READY, timeout)
        if self._state in _BEFORE_READY:
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
            self._changed.wait_for(lambda: self._state in _ENDED, timeout)
        return self._state

    def stop(self) -> None:
        """End the server: requests in flight are answered, then the process is gone; nothing to do where it is."""
        self.ask_to_end()
        if not self._process.join(self.settings.drain_seconds + _SLACK_SECONDS):
            self._process.kill()
            self._process.join()

    def ask_to_end(self) -> None:
        """Have the server finish what it is at and end, without waiting for it."""
        self._stopping = True
        self._process.terminate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        if self._client is None or self._state != "ready":
            return f"Sandbox({self.name!r}, {self._state})"
        hub = f", from outside {self.proxy_url}" if self.proxy_url else ""
        return f"Sandbox({self.name!r}, {self._state} at {self._client.url}{hub})"

    def _address(self, door: str) -> str:
        if not self._ports:
            raise self._not_up()
        scheme = "https" if self.settings.security.certificate else "http"
        return f"{scheme}://{_reached(self.settings.host)}:{self._ports[door]}"

    def _not_up(self) -> ServingError:
        return ServingError(self._error or f"the server of {self.name} is {self._state}; call `wait()` first.")

    def _ask(self, what: str, seconds: float, **arguments: Any) -> Any:
        if not self._control or self._state in _ENDED:
            raise self._not_up()
        return ask(self._control, what, seconds, **arguments)

    def _reload(self, add: int | None = None) -> Reload:
        told = self._ask("reload", START_SECONDS, add=add)
        if told["error"]:
            raise ServingError(told["error"])
        done: Reload = Reload.from_json(told["done"])
        return done

    # What follows runs on the watching thread.

    def _on_event(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if kind == "started":
            self._pid = event["pid"]
        elif kind == "listening":
            self._note, self._control, self._ports = event["note"], event["control"], event["ports"]
            self._client = Client(self._address("rest"), self.name)
        elif kind in ("loading", "draining"):
            self._set(kind)
        elif kind == "ready":
            self._ask_whether_ready(event["probe"])
        elif kind == "failed":
            self._error = event["error"]
        elif kind == "refused":
            self._fail(f"the server of {self.name} could not be started ({event['error']}).")
        elif kind == "ended":
            self._on_end(event["code"])

    def _ask_whether_ready(self, path: str) -> None:
        if self.settings.security.certificate:
            self._set("ready")  # a client of its own, with a certificate, would be needed to ask
            return
        host = _reached(self.settings.host).strip("[]")
        connection = http.client.HTTPConnection(host, self._ports["rest"], timeout=_ASK_SECONDS)
        try:
            connection.request("GET", path)
            reply = connection.getresponse()
            status, body = reply.status, reply.read()
        except (OSError, http.client.HTTPException) as error:
            self._refuse(f"it does not answer ({error})")
        else:
            if status == _HTTP_OK:
                self._set("ready")
            else:
                self._refuse(f"{path} must answer {_HTTP_OK}, got {status} {body.decode(errors='replace')}")
        finally:
            connection.close()

    def _refuse(self, why: str) -> None:
        self._error = f"the server of {self.name} is not ready: {why}; see {self.folder / LOG}."
        self._process.kill()

    def _on_end(self, code: int | None) -> None:
        if self._client is not None:
            self._client.close()
        in_order = code == 0 or (code is not None and self._stopping)
        if in_order and self._error is None:
            self._set("stopped")
            return
        how = "is gone" if code is None else _how(code)
        self._fail(self._error or f"the server of {self.name} {how}; see {self.folder / LOG}.")

    def _fail(self, error: str) -> None:
        self._note_end(error)
        with self._changed:
            self._state, self._error = "failed", error
            self._changed.notify_all()

    def _set(self, state: State) -> None:
        with self._changed:
            self._state = state
            self._changed.notify_all()

    def _note_end(self, error: str) -> None:
        # The child writes its own end, unless it was killed.
        if self.owner != os.getpid() or standing(self.folder).state in FINAL - {"lost"}:
            return
        with contextlib.suppress(WorkspaceError, OSError):
            events = EventWriter(self.folder)
            events.emit("state", state="failed", attempt=1, error=ServingError(error).to_dict())
            events.close()


def _reached(host: str) -> str:
    """Return the address under which a server of this machine is reached from here."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return "127.0.0.1" if host == "0.0.0.0" else "[::1]"  # noqa: S104
    return f"[{host}]" if ":" in host else host


def _how(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
