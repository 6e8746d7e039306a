"""One gRPC call, with a deadline and errors in the server's own words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.serve.client.face import RefusedError
from workbench.serve.client.unreached import unreached

if TYPE_CHECKING:
    from workbench.serve.client.access import Access

_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.enable_retries", 0),  # ours know the budget
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
)
_UNREACHED = (
    "failed to connect", "connections to all backends failing", "socket closed", "connection reset", "errors resolving",
)  # fmt: skip


class Rpc:
    """A channel; may be used from many threads."""

    def __init__(self, access: Access) -> None:
        import grpc

        target = access.grpc_target
        if access.scheme.startswith("grpcs"):
            self._channel = grpc.secure_channel(target, _credentials(access), _OPTIONS)
        else:
            self._channel = grpc.insecure_channel(target, _OPTIONS)
        self._scheme = access.scheme
        self._metadata = tuple(access.headers().items())
        self._calls: dict[str, Any] = {}

    def ask(
        self, method: str, request: Any, answer: Any, seconds: float, headers: tuple[tuple[str, str], ...] = ()
    ) -> Any:
        """Call once.

        Args:
            method: `/package.Service/Method`.
            request: The message.
            answer: Class of the answer.
            seconds: Deadline, which the server sees too.
            headers: Metadata beside the key.

        Raises:
            RefusedError: There is no answer in time, or an error.
        """
        import grpc

        call = self._calls.get(method)
        if call is None:
            call = self._calls[method] = self._channel.unary_unary(
                method, request_serializer=_serialised, response_deserializer=answer.FromString
            )
        try:
            return call(request, timeout=seconds, metadata=(*self._metadata, *headers))
        except grpc.RpcError as error:
            raise _refused(error, seconds, self._scheme) from error

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()


def _serialised(message: Any) -> bytes:
    data: bytes = message.SerializeToString()
    return data


def _credentials(access: Access) -> Any:
    import grpc

    ca, key, chain = (
        None if path is None else Path(path).read_bytes()
        for path in (access.ca, access.private_key, access.certificate)
    )
    return grpc.ssl_channel_credentials(ca, key, chain)


def _refused(error: Any, seconds: float, scheme: str) -> RefusedError:
    code, details = error.code().name, error.details() or ""
    trailers = dict(error.trailing_metadata() or ())
    after = trailers.get("retry-after")
    wait = float(after) if isinstance(after, str) and after.isdigit() else None
    if code == "UNAVAILABLE":
        if any(words in details.lower() for words in _UNREACHED):
            return unreached(details, scheme)
        return RefusedError(code, details, again=True, after=wait)
    if code == "DEADLINE_EXCEEDED":
        return RefusedError(code, f"{details} (after {seconds:.3g} s)")
    # A message that is too large is refused under this name too; only who is busy says when to come back.
    return RefusedError(code, details, again=code == "RESOURCE_EXHAUSTED" and wait is not None, after=wait)
