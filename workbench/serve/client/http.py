"""One HTTP request, with a deadline and errors in the server's own words."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from workbench.serve.client.face import RefusedError
from workbench.serve.client.json_values import read_json
from workbench.serve.client.unreached import unreached

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.serve.client.access import Access

_ERRORS = 400
_BUSY = (429, 503)
_CHUNK = 1 << 18
_CONNECTIONS = 64


@dataclass(frozen=True)
class Reply:
    """A body and its headers; their names are in any case."""

    body: bytes
    headers: Mapping[str, str]

    def document(self) -> Any:
        """Return the body's JSON.

        Raises:
            RefusedError: It is none.
        """
        found = read_json(self.body)
        if found is None:
            raise RefusedError("with something else than JSON", repr(self.body[:40]))
        return found


class Http:
    """Keeps its connections; may be used from many threads."""

    def __init__(self, access: Access) -> None:
        import urllib3

        self._scheme = access.scheme
        self._headers = access.headers()
        self._pool = urllib3.PoolManager(
            maxsize=_CONNECTIONS, retries=False, ca_certs=access.ca,
            cert_file=access.certificate, key_file=access.private_key,
        )  # fmt: skip

    def ask(
        self, method: str, url: str, seconds: float, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Ask once.

        Args:
            method: HTTP method.
            url: Whole URL.
            seconds: Until the whole answer is there.
            body: Request body.
            headers: Beside the key.

        Raises:
            RefusedError: There is no answer in time, or one with a status of 400 or more.
        """
        import urllib3

        deadline = time.monotonic() + seconds
        try:
            response = self._pool.request(
                method, url, body=body, headers={**self._headers, **(headers or {})},
                timeout=urllib3.Timeout(total=seconds), preload_content=False, redirect=False,
            )  # fmt: skip
            parts = []
            for part in response.stream(_CHUNK):
                parts.append(part)
                if time.monotonic() > deadline:  # a timeout of sockets is one between bytes
                    response.close()
                    raise _late(seconds)
            response.release_conn()  # an answer without a body does not do it by itself
        except urllib3.exceptions.NewConnectionError as error:  # to urllib3 a timeout, whatever became of it
            raise unreached(str(error), self._scheme) from error
        except urllib3.exceptions.TimeoutError:
            raise _late(seconds) from None
        except urllib3.exceptions.HTTPError as error:
            # A prediction changes nothing, so it may be asked again where the connection broke.
            raise unreached(str(error), self._scheme) from error
        data = b"".join(parts)
        if response.status >= _ERRORS:
            raise _refused(response.status, data, response.headers, response.reason or "")
        return Reply(data, response.headers)

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()


def retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` header asks for, which may also be a date; None where it says nothing."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max((parsedate_to_datetime(value) - now).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None


def _refused(status: int, data: bytes, headers: Mapping[str, str], reason: str) -> RefusedError:
    found = read_json(data)
    said = found.get("error") if isinstance(found, dict) else None
    after = retry_after(headers.get("retry-after"), datetime.now(UTC)) if status in _BUSY else None
    return RefusedError(str(status), said if isinstance(said, str) else reason, again=status in _BUSY, after=after)


def _late(seconds: float) -> RefusedError:
    return RefusedError("", f"there was no whole answer within {seconds:.3g} s")
