"""What all methods share: bytes to a message, an answer or a status, and what is counted."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

import grpc

from workbench.serve.grpc.messages import message, parse, service
from workbench.serve.status import Code, RequestError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Answer = Callable[[Any, "Call"], Awaitable[Any]]
    Behaviour = Callable[[bytes, Any], Awaitable[bytes]]

_MAX_DETAILS = 1000
"""Characters of an error; clients take 8 kB of metadata, and what is not ASCII takes up to twelve bytes."""

_log = logging.getLogger(__name__)


class Call:
    """One request on its way.

    Attributes:
        begin: When its message was here, on the clock of `time.perf_counter()`.
        deadline: When the answer is of no use to the client any more, on the clock of `time.monotonic()`.
        peer: Where it comes from, as gRPC writes it.
    """

    def __init__(self, context: Any) -> None:
        self.begin = time.perf_counter()
        left = context.time_remaining()
        self.deadline = None if left is None else time.monotonic() + left
        self._context = context

    @property
    def peer(self) -> str:
        """Where the request comes from."""
        return str(self._context.peer())

    def late(self) -> bool:
        """Tell whether the deadline is over."""
        return self.deadline is not None and time.monotonic() >= self.deadline


def add_service(
    server: grpc.aio.Server,
    name: str,
    answers: Mapping[str, Answer],
    count: Callable[[str, Any, Code], None] | None = None,
) -> None:
    """Make a server answer for a service.

    Args:
        server: It is not started yet.
        name: Full name of the service, e.g. `tensorflow.serving.PredictionService`.
        answers: By method: a coroutine function of the request's message and its `Call` that returns the reply's
            message or raises `RequestError`. A method without one is UNIMPLEMENTED.
        count: Told of every request's method, message (None where there was none) and outcome.
    """
    handlers = {
        method.name: grpc.unary_unary_rpc_method_handler(
            _behaviour(method.name, message(method.input_type.full_name), answers[method.name], count)
        )
        for method in service(name).methods
        if method.name in answers
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))


async def refuse(context: Any, error: RequestError) -> None:
    """End a call with an error.

    Args:
        context: The call's.
        error: Its code and what the client reads, cut where it is long.
    """
    text = error.message
    most = _MAX_DETAILS if text.isascii() else _MAX_DETAILS // 2
    await context.abort(grpc.StatusCode[error.code.name], text if len(text) <= most else text[:most] + "...")


def _behaviour(method: str, kind: Any, answer: Answer, count: Callable[[str, Any, Code], None] | None) -> Behaviour:
    # The bytes are parsed here, because gRPC answers a message that it cannot read as if the fault were ours.
    tell = count or _nothing

    async def respond(data: bytes, context: Any) -> bytes:
        call, request = Call(context), None
        try:
            request = parse(kind, data)
            reply = bytes((await answer(request, call)).SerializeToString())
        except asyncio.CancelledError:
            tell(method, request, Code.DEADLINE_EXCEEDED if call.late() else Code.CANCELLED)
            raise
        except Exception as error:  # a request must never end the server
            told = _as_request_error(error)
            tell(method, request, told.code)
            await refuse(context, told)
            raise  # never reached: `refuse` does
        tell(method, request, Code.OK)
        return reply

    return respond


def _nothing(method: str, request: Any, code: Code) -> None:
    del method, request, code


def _as_request_error(error: Exception) -> RequestError:
    if isinstance(error, RequestError):
        return error
    if isinstance(error, MemoryError):
        return RequestError(Code.RESOURCE_EXHAUSTED, "The request needs more memory than there is")
    _log.error("internal error", exc_info=error)
    return RequestError(Code.INTERNAL, "Internal error; the server's log says more")
