"""API keys in a call's metadata, under the same names as in HTTP's headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc

from workbench.serve.grpc.call import refuse
from workbench.serve.security.guard import acting, find_key
from workbench.serve.security.roles import role_of_rpc
from workbench.serve.status import RequestError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from workbench.serve.security.guard import Guard


class Access(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # a type of stubs only
    """Lets a call reach its method where its key may; before its message is looked at."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: Any
    ) -> grpc.RpcMethodHandler[Any, Any]:
        """Return the method's handler, or one that refuses."""
        role = role_of_rpc(handler_call_details.method)
        if role is not None:
            try:
                key_id = self._guard.require(role, find_key(handler_call_details.invocation_metadata or ()))
            except RequestError as error:
                return _refusing(error)
            acting(key_id, "")
        handler: grpc.RpcMethodHandler[Any, Any] = await continuation(handler_call_details)
        return handler


def _refusing(error: RequestError) -> grpc.RpcMethodHandler[Any, Any]:
    async def respond(_: Any, context: Any) -> None:
        await refuse(context, error)

    # Of this kind whatever the method's, for it alone waits for no message.
    return grpc.stream_stream_rpc_method_handler(respond)
