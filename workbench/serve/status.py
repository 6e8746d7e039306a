"""Error codes of the serving protocols and what each becomes in HTTP."""

from __future__ import annotations

import logging
from enum import Enum

_log = logging.getLogger(__name__)


class Code(Enum):
    """gRPC's status codes under their names.

    Attributes:
        http: TensorFlow Serving's HTTP status for it.
    """

    OK = 200
    INVALID_ARGUMENT = (400, "argument")
    FAILED_PRECONDITION = (400, "precondition")
    OUT_OF_RANGE = (400, "range")
    UNAUTHENTICATED = 401
    PERMISSION_DENIED = 403
    NOT_FOUND = 404
    ALREADY_EXISTS = (409, "exists")
    ABORTED = (409, "aborted")
    RESOURCE_EXHAUSTED = 429
    CANCELLED = 499
    UNKNOWN = (500, "unknown")
    INTERNAL = (500, "internal")
    DATA_LOSS = (500, "loss")
    UNIMPLEMENTED = 501
    UNAVAILABLE = 503
    DEADLINE_EXCEEDED = 504

    def __init__(self, http: int, twin: str = "") -> None:
        # Some codes share a status; an enum would fold equal values into one, hence the second part.
        del twin
        self.http = http


class RequestError(Exception):
    """A request that is answered with an error; the message goes to the client as it is."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def as_request_error(error: Exception) -> RequestError:
    """Return what a client is told of an error; what is no `RequestError` goes to the log, and its words no further."""
    if isinstance(error, RequestError):
        return error
    if isinstance(error, MemoryError):
        return RequestError(Code.RESOURCE_EXHAUSTED, "The request needs more memory than there is")
    _log.error("internal error", exc_info=error)
    return RequestError(Code.INTERNAL, "Internal error; the server's log says more")


def invalid(message: str) -> RequestError:
    """Return the error for a request that can never work as it was sent."""
    return RequestError(Code.INVALID_ARGUMENT, message)


def not_found(message: str) -> RequestError:
    """Return the error for a model or version that is not here."""
    return RequestError(Code.NOT_FOUND, message)
