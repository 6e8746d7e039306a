"""Replies to clients that are gone are nobody's error."""

from __future__ import annotations

import asyncio

import uvloop

from workbench.serve.rest.one_write import OneWrite


class Gone(asyncio.Protocol):
    """Breaks its connection, and only then gets to its reply."""

    def __init__(self) -> None:
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, uvloop.loop.TCPTransport)
        self.sending = OneWrite(transport, lambda: False)  # type: ignore[arg-type] - uvloop's is no subclass
        self.sending.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(exc)


async def _reply_to_who_is_gone() -> int:
    loop, made = asyncio.get_running_loop(), []

    def protocol() -> Gone:
        made.append(Gone())
        return made[-1]

    server = await loop.create_server(protocol, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        await reader.read()
        await made[0].lost
        made[0].sending.write(b"HTTP/1.1 200 OK\r\n\r\n")
        made[0].sending.close()
        writer.close()
    return made[0].sending.written


def test_a_reply_to_who_is_gone_is_dropped() -> None:
    assert uvloop.run(_reply_to_who_is_gone()) == 0
