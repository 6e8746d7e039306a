"""Who is told of alarms."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import urllib3

from workbench.core.errors import BadInputError
from workbench.monitor.alarms.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from workbench.core.records.monitor import AlarmEvent

_LOG = logging.getLogger("workbench.monitor")
_OK = range(200, 300)
_KEPT = 300  # letters of what a command said


class Target(Protocol):
    """Takes events without ever keeping its caller waiting."""

    def send(self, event: AlarmEvent) -> None:
        """Take an event in and return at once."""

    def close(self) -> None:
        """Deliver what waits, for a moment at most."""


class LogTarget:
    """Writes to the logger `workbench.monitor`."""

    def send(self, event: AlarmEvent) -> None:
        """Write one line."""
        level = logging.WARNING if event.state == "raised" else logging.INFO
        _LOG.log(level, "alarm %s: %s: %s", event.state, event.rule, event.words)

    def close(self) -> None:
        """Do nothing."""


class _InAThread:
    """What the targets share that may take their time.

    Attributes:
        outbox: How it went.
    """

    def __init__(self, name: str, *, tries: int = 1) -> None:
        self.outbox = Outbox(name, self._deliver, tries=tries)

    def send(self, event: AlarmEvent) -> None:
        """Take an event in and return at once."""
        self.outbox.put(event)

    def close(self) -> None:
        """Deliver what waits, for two seconds at most."""
        self.outbox.close()

    def _deliver(self, event: AlarmEvent) -> None:
        raise NotImplementedError


class CallbackTarget(_InAThread):
    """Calls a function with each event, in a thread of its own; what it raises is noted and stops nothing."""

    def __init__(self, function: Callable[[AlarmEvent], object]) -> None:
        """Know the function.

        Args:
            function: Takes an event.
        """
        super().__init__("a function")
        self._function = function

    def _deliver(self, event: AlarmEvent) -> None:
        self._function(event)


class WebhookTarget(_InAThread):
    """Sends each event as a POST of JSON."""

    def __init__(
        self, url: str, *, timeout: float = 5.0, headers: Mapping[str, str] | None = None, tries: int = 2
    ) -> None:
        """Know the address.

        Args:
            url: Of http or https; redirects are not followed.
            timeout: Seconds that connecting may take, and that silence may.
            headers: Sent too, e.g. a token.
            tries: Times that an event is sent until it is taken (a status of 200 to 299).

        Raises:
            BadInputError: It is no such address.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadInputError.of("url", rule="must be an address of http or https", got=url)
        super().__init__(parts.hostname, tries=tries)
        self._url = url
        self._headers = {"content-type": "application/json", **(headers or {})}
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=timeout, read=timeout), retries=False, maxsize=1
        )

    def close(self) -> None:
        """Deliver what waits, for two seconds at most, and close the connection."""
        super().close()
        self._pool.clear()

    def _deliver(self, event: AlarmEvent) -> None:
        reply = self._pool.request(
            "POST", self._url, body=json.dumps(event.to_json()).encode(), headers=self._headers, redirect=False
        )
        if reply.status not in _OK:
            raise OSError(f"it answered {reply.status}")


class CommandTarget(_InAThread):
    """Runs a command with each event as JSON on its standard input."""

    def __init__(self, arguments: Sequence[str], *, timeout: float = 30.0) -> None:
        """Know the command.

        Args:
            arguments: The program and what it is given, as a list; no shell reads it.
            timeout: Seconds until it is killed with all that it started.

        Raises:
            BadInputError: It is no list of texts.
        """
        if isinstance(arguments, str) or not arguments or not all(isinstance(each, str) for each in arguments):
            raise BadInputError.of(
                "arguments", rule="must be a list of texts, the program first", got=arguments,
                hint="split it: ['notify-send', 'workbench']",
            )  # fmt: skip
        super().__init__(arguments[0])
        self._arguments = list(arguments)
        self._timeout = timeout

    def _deliver(self, event: AlarmEvent) -> None:
        environment = {**os.environ, "WORKBENCH_ALARM": event.rule, "WORKBENCH_ALARM_STATE": event.state}
        with subprocess.Popen(  # noqa: S603 - the command is its user's own
            self._arguments, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env=environment, start_new_session=True,
        ) as process:  # fmt: skip
            try:
                _, said = process.communicate(json.dumps(event.to_json()).encode(), timeout=self._timeout)
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        if process.returncode:
            told = said.decode(errors="replace")[-_KEPT:]
            raise OSError(f"it ended with {process.returncode} {told}")
