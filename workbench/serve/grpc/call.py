"""What all methods share: bytes to a message, an answer or a status, and what is counted."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import grpc

from workbench.serve.arrival import Arrival, arrive
from workbench.serve.grpc.messages import message, parse, service
from workbench.serve.security.guard import acting, caller
from workbench.serve.security.roles import role_of_rpc
from workbench.serve.status import Code, RequestError, as_request_error, invalid

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Answer = Callable[[Any, "Call"], Awaitable[Any]]
    Behaviour = Callable[[Any, Any], Awaitable[bytes]]
    Tell = Callable[[str, Any, Code], None]

SECONDS_TO_SEND = 30.0
"""Time for a request's message to arrive; who stalls holds one of the calls that a server takes at once."""

_MAX_DETAILS = 1000
"""Characters of an error; clients take 8 kB of metadata, and what is not ASCII takes up to twelve bytes."""


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
    count: Tell | None = None,
) -> None:
    """Make a server answer for a service.

    Args:
        server: It is not started yet.
        name: Full name of the service, e.g. `tensorflow.serving.PredictionService`.
        answers: By method: a coroutine function of the request's message and its `Call` that returns the reply's
            message or raises `RequestError`. A method without one is UNIMPLEMENTED.
        count: Told of every request's method, message (None where there was none) and outcome.
    """
    api = "GRPC" if name.startswith("tensorflow.") else "OIP"
    handlers = {
        method.name: grpc.stream_unary_rpc_method_handler(
            _behaviour(
                method.name,
                message(method.input_type.full_name),
                answers[method.name],
                count or _nothing,
                api,
                administers=role_of_rpc(f"/{name}/{method.name}") == "admin",
            )
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


def _behaviour(method: str, kind: Any, answer: Answer, tell: Tell, api: str, *, administers: bool) -> Behaviour:
    async def respond(_: Any, context: Any) -> bytes:
        request, call = None, Call(context)
        try:
            data = await _message(context)
            call.begin = time.perf_counter()
            arrive(Arrival(api, context.invocation_metadata, call.begin))
            request = parse(kind, data)
            if administers:
                acting(caller().key_id, call.peer)
            reply = bytes((await answer(request, call)).SerializeToString())
        except asyncio.CancelledError:
            tell(method, request, Code.DEADLINE_EXCEEDED if call.late() else Code.CANCELLED)
            raise
        except Exception as error:  # a request must never end the server
            told = as_request_error(error)
            tell(method, request, told.code)
            await refuse(context, told)
            raise  # never reached: `refuse` does
        tell(method, request, Code.OK)
        return reply

    return respond


async def _message(context: Any) -> bytes:
    # The methods are streams of one message to gRPC, which would else wait for it as long as its client likes, and
    # they take bytes, because gRPC answers a message that it cannot read as if the fault were ours.
    try:
        async with asyncio.timeout(SECONDS_TO_SEND):
            data = await context.read()
    except TimeoutError:
        raise RequestError(Code.DEADLINE_EXCEEDED, "The request's message did not arrive in time") from None
    if data is grpc.aio.EOF:  # type: ignore[attr-defined]  # the stubs do not know it
        raise invalid("The request has no message")
    return bytes(data)


def _nothing(method: str, request: Any, code: Code) -> None:
    del method, request, code
