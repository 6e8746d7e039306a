"""Whom the load generator asks, and with which requests."""

from __future__ import annotations

import ipaddress
import json
import os
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from workbench.core.errors import BadInputError, ServingError
from workbench.core.records import LatencyHistogram, LoadResult
from workbench.core.records.load import percentiles_ms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.serve.load.connection import Address
    from workbench.serve.load.settings import LoadSettings

_START_SECONDS = 30.0


@dataclass(frozen=True)
class LoadTarget:
    """One URL and the bodies that are posted to it in turn.

    Attributes:
        url: `http://host:port/path`.
        bodies: Request bodies, at least one.
        headers: Sent with each.
        allow_remote: Whether a host that is not this machine may be asked.
    """

    url: str
    bodies: Sequence[bytes]
    headers: Mapping[str, str] = field(default_factory=dict)
    allow_remote: bool = False

    def address(self) -> Address:
        """Look the host up.

        Raises:
            BadInputError: No such URL or host, or it is not this machine and that was not allowed.
        """
        scheme, host, port = self._parts()
        if scheme != "http" or not host:
            raise BadInputError.of(
                "url", rule="must start with http:// for a load", got=self.url,
                hint="write http://HOST:PORT, or http://HOST:PORT/v2 for the Open Inference Protocol, of a port "
                "without TLS",
            )  # fmt: skip
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise BadInputError.of("url", rule="must name a host that is known", got=self.url) from error
        family, _, _, _, place = found[0]
        if not self.allow_remote and not ipaddress.ip_address(place[0]).is_loopback:
            raise BadInputError.of(
                "url", rule="must be this machine", got=self.url,
                hint="a load can take a server down; pass allow_remote=True for one that is yours",
            )  # fmt: skip
        return int(family), (str(place[0]), int(place[1]))

    def _parts(self) -> tuple[str, str | None, int]:
        try:
            parts = urlsplit(self.url)
            port = parts.port or 80
        except ValueError as error:
            raise BadInputError.of("url", rule=f"must be http://HOST:PORT ({error})", got=self.url) from None
        return parts.scheme, parts.hostname, port

    def requests(self) -> list[bytes]:
        """Return the requests, heads and bodies."""
        parts = urlsplit(self.url)
        fixed = {"content-type": "application/json", **{name.lower(): value for name, value in self.headers.items()}}
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        lines = [f"POST {path or '/'} HTTP/1.1", f"host: {parts.netloc.rpartition('@')[2]}"]
        lines += [f"{name}: {value}" for name, value in fixed.items()]
        if any("\r" in line or "\n" in line for line in lines):
            raise BadInputError.of("headers", rule="must be without line breaks", got=dict(self.headers))
        head = "\r\n".join(lines).encode("latin-1")
        return [head + b"\r\ncontent-length: %d\r\n\r\n" % len(body) + body for body in self.bodies]


def run_load(target: LoadTarget, settings: LoadSettings, *, model: str = "", face: str = "") -> LoadResult:
    """Put a load on one URL, from a process of its own.

    Args:
        target: What is asked.
        settings: How hard and how long.
        model: Named in the result.
        face: Named in the result.

    Raises:
        BadInputError: The target may not be asked.
        ServingError: The generator ended without a result.
    """
    requests = target.requests()
    job = {
        "address": target.address(),
        "settings": settings.model_dump(mode="json"),
        "lengths": [len(request) for request in requests],
    }
    with tempfile.TemporaryDirectory(prefix="workbench-load-") as folder:
        file = Path(folder) / "job"
        file.write_bytes(b"".join([json.dumps(job).encode(), b"\n", *requests]))
        outcome = _outcome(file, settings)
    latency = LatencyHistogram.of(
        {int(bucket): count for bucket, count in outcome["counts"].items()}, outcome["sum_us"], outcome["max_us"]
    )
    took = max(outcome["seconds"], outcome["answered_seconds"])
    return LoadResult(
        url=target.url,
        model=model,
        face=face,
        loop="closed" if settings.rate is None else "open",
        rate=settings.rate,
        connections=settings.connections,
        batch=settings.batch,
        seconds=outcome["seconds"],
        requests=latency.count,
        errors=dict(sorted(outcome["errors"].items())),
        unsent=outcome["unsent"],
        throughput=latency.count / took if took else 0.0,
        **percentiles_ms(latency),
        latency=latency,
        client_cpu=outcome["client_cpu"],
    )


def _outcome(job: Path, settings: LoadSettings) -> dict[str, Any]:
    bound = settings.warmup_seconds + settings.seconds + settings.timeout_seconds + _START_SECONDS
    command = [sys.executable, "-m", "workbench.serve.load.child", str(job), str(os.getpid())]
    said, complaints = job.with_name("outcome"), job.with_name("stderr")
    with said.open("wb") as out, complaints.open("wb") as errors:
        # Its standard input stays open as long as we live; it ends when that does.
        child = subprocess.Popen(  # noqa: S603 - our own module
            command, stdin=subprocess.PIPE, stdout=out, stderr=errors, start_new_session=True
        )
    with child:
        try:
            code = child.wait(bound)
        except subprocess.TimeoutExpired:
            raise ServingError(f"the load generator must end within {bound:g} s, and was killed.") from None
        finally:
            child.kill()
    if code:
        last = complaints.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]
        raise ServingError(f"the load generator ended with exit code {code}: {last}")
    found: dict[str, Any] = json.loads(said.read_text(encoding="utf-8"))
    return found
