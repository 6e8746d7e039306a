"""The process of a server as its handle knows it: how it stands, where it is reached, and how it ended."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import threading
from typing import TYPE_CHECKING, Any, Literal

from workbench.core.errors import ServingError, WorkspaceError
from workbench.core.events import EventWriter
from workbench.core.role import require_operator
from workbench.jobs.state import FINAL, standing
from workbench.serve.addresses import Addresses
from workbench.serve.client import Client
from workbench.serve.process import LOG
from workbench.serve.supervision.asking import ask

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.serve.process import Link
    from workbench.serve.settings import ServeSettings

State = Literal["starting", "loading", "ready", "draining", "failed", "stopped"]

_BEFORE_READY = ("starting", "loading")
_ENDED = ("failed", "stopped")
_LOOKS = ("versions", "workers", "comparison", "answering")  # what is asked and changes nothing

_ASK_SECONDS = 10.0
_SLACK_SECONDS = 3.0  # a little more than the child gives itself
_HTTP_OK = 200


class Watch:
    """Follows what a link tells of its server; may be read from any thread.

    Attributes:
        state: How it stands.
        error: Why it failed, one sentence.
        note: What a user should know; empty where there is nothing.
        pid: Process id of the supervisor.
    """

    def __init__(
        self, folder: Path, settings: ServeSettings, link: Callable[[Callable[[dict[str, Any]], None]], Link]
    ) -> None:
        """Follow nothing yet.

        Args:
            folder: The run folder.
            settings: What was asked.
            link: Returns what holds the process, given what is to be told of its events.
        """
        self.state: State = "starting"
        self.error: str | None = None
        self.note = ""
        self.pid: int | None = None
        self._addresses: Addresses | None = None
        self._control = ""
        self._client: Client | None = None
        self._folder = folder
        self._settings = settings
        self._owner = os.getpid()
        self._stopping = False
        self._changed = threading.Condition()
        self._process = link(self._on_event)

    def start(self) -> None:
        """Begin, and return at once."""
        self._process.start()

    def wait_ready(self, timeout: float) -> None:
        """Return when the server answers; one that does not within so many seconds is ended.

        Raises:
            ServingError: It failed, was stopped, or took longer.
        """
        name = self._settings.name
        with self._changed:
            in_time = self._changed.wait_for(lambda: self.state not in _BEFORE_READY, timeout)
        if not in_time:
            self.stop()
            raise ServingError(f"the server of {name} must be ready within {timeout:g} s; see {self._folder / LOG}.")
        if self.state != "ready":
            raise self._not_up()

    def wait_end(self, timeout: float | None) -> State:
        """Return the state when the server has ended, or after the time given, in seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self.state in _ENDED, timeout)
        return self.state

    def ask_to_end(self) -> None:
        """Have the server finish what it is at and end, without waiting for it.

        Raises:
            BadInputError: This process is a viewer's.
        """
        require_operator()
        self._stopping = True
        self._process.terminate()

    def stop(self) -> None:
        """End the server and wait until it is gone."""
        self.ask_to_end()
        if not self._process.join(self._settings.drain_seconds + _SLACK_SECONDS):
            self._process.kill()
            self._process.join()

    @property
    def where(self) -> Addresses | None:
        """Where it is reached; None where it is not up."""
        return None if self.state in _ENDED else self._addresses

    def reached(self) -> Addresses:
        """Return where it is reached.

        Raises:
            ServingError: It is not up.
        """
        if (found := self.where) is None:
            raise self._not_up()
        return found

    def asker(self) -> Client:
        """Return what asks its REST port.

        Raises:
            ServingError: It is not up.
        """
        if self._client is None or self.state in _ENDED:
            raise self._not_up()
        return self._client

    def ask(self, what: str, seconds: float = _ASK_SECONDS, **arguments: Any) -> Any:
        """Put a question that only its owner may ask.

        Raises:
            BadInputError: It would change something, and this process is a viewer's.
            ServingError: It is not up, or does not answer.
        """
        if what not in _LOOKS:
            require_operator()
        if not self._control or self.state in _ENDED:
            raise self._not_up()
        return ask(self._control, what, seconds, **arguments)

    def _not_up(self) -> ServingError:
        name = self._settings.name
        if self.state in _BEFORE_READY:
            return ServingError(self.error or f"the server of {name} is {self.state}; call `wait()` first.")
        return ServingError(
            self.error or f"the server of {name} was stopped; start one with `workbench.serve(artifact, {name!r})`."
        )

    # What follows runs on the watching thread.

    def _on_event(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if kind == "started":
            self.pid = event["pid"]
        elif kind == "listening":
            self._on_listening(event)
        elif kind in ("loading", "draining"):
            self._set(kind)
        elif kind == "ready":
            self._ask_whether_ready(event["probe"])
        elif kind == "failed":
            self.error = event["error"]
        elif kind == "refused":
            self._fail(f"the server of {self._settings.name} could not be started ({event['error']}).")
        elif kind == "ended":
            self._on_end(event["code"])

    def _on_listening(self, event: dict[str, Any]) -> None:
        settings = self._settings
        self.note, self._control = event["note"], event["control"]
        self._addresses = addresses = Addresses(
            settings.host, event["ports"], secure=settings.security.certificate is not None
        )
        self._client = Client(addresses.rest, settings.name)

    def _ask_whether_ready(self, path: str) -> None:
        if self._settings.security.certificate:
            self._set("ready")  # a client of its own, with a certificate, would be needed to ask
            return
        found = self.reached()
        host, port = found.reached, found.ports["rest"]
        connection = http.client.HTTPConnection(host, port, timeout=_ASK_SECONDS)
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
        self.error = f"the server of {self._settings.name} is not ready: {why}; see {self._folder / LOG}."
        self._process.kill()

    def _on_end(self, code: int | None) -> None:
        if self._client is not None:
            self._client.close()
        in_order = code == 0 or (code is not None and self._stopping)
        if in_order and self.error is None:
            self._set("stopped")
            return
        how = "is gone" if code is None else _how(code)
        self._fail(self.error or f"the server of {self._settings.name} {how}; see {self._folder / LOG}.")

    def _fail(self, error: str) -> None:
        self._note_end(error)
        with self._changed:
            self.state, self.error = "failed", error
            self._changed.notify_all()

    def _set(self, state: State) -> None:
        with self._changed:
            self.state = state
            self._changed.notify_all()

    def _note_end(self, error: str) -> None:
        # The child writes its own end, unless it was killed.
        if self._owner != os.getpid() or standing(self._folder).state in FINAL - {"lost"}:
            return
        with contextlib.suppress(WorkspaceError, OSError):
            events = EventWriter(self._folder)
            events.emit("state", state="failed", attempt=1, error=ServingError(error).to_dict())
            events.close()


def _how(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
