"""Two ends of a stream that ask each other."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import pytest

from workbench.core.errors import WorkspaceError
from workbench.serve.status import Code, RequestError
from workbench.serve.supervision.channel import Channel, ChannelClosedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


async def ends(
    left: dict[str, Callable[..., Awaitable[Any]]], right: dict[str, Callable[..., Awaitable[Any]]]
) -> tuple[Channel, Channel, asyncio.Task[Any]]:
    found = []
    for one, handlers in zip(socket.socketpair(), (left, right), strict=True):
        reader, writer = await asyncio.open_connection(sock=one)
        found.append(Channel(reader, writer, handlers))
    first, second = found
    return first, second, asyncio.ensure_future(asyncio.gather(first.run(), second.run()))


async def double(number: int) -> int:
    return 2 * number


async def refuse(kind: str) -> None:
    errors = {"request": RequestError(Code.NOT_FOUND, "no such model"), "ours": WorkspaceError("the disk is full.")}
    raise errors.get(kind) or ValueError("/secret/place")


async def ask_back(channel: Channel, number: int) -> Any:
    return await channel.call("double", number=number)


def test_both_ends_ask_and_are_answered() -> None:
    async def talk() -> None:
        left, right, running = await ends({"double": double}, {"double": double})
        asked = [left.call("double", number=1), right.call("double", number=2), left.call("double", number=3)]
        assert await asyncio.gather(*asked) == [2, 4, 6]
        left.close()
        await running

    asyncio.run(talk())


def test_whoever_is_asked_may_ask_back_before_it_answers() -> None:
    async def talk() -> None:
        async def through(number: int) -> Any:
            return await right.call("double", number=number)

        left, right, running = await ends({"double": double}, {"through": through})
        assert await left.call("through", number=4) == 8
        left.close()
        await running

    asyncio.run(talk())


@pytest.mark.parametrize(
    ("kind", "code", "message"),
    [
        ("request", Code.NOT_FOUND, "no such model"),
        ("ours", Code.FAILED_PRECONDITION, "the disk is full."),
        ("other", Code.INTERNAL, "Internal error; the server's log says more"),
    ],
)
def test_a_refusal_crosses_with_its_code_and_ends_nothing(kind: str, code: Code, message: str) -> None:
    async def talk() -> None:
        left, _, running = await ends({}, {"refuse": refuse, "double": double})
        with pytest.raises(RequestError) as caught:
            await left.call("refuse", kind=kind)
        assert (caught.value.code, caught.value.message) == (code, message)
        assert await left.call("double", number=5) == 10
        left.close()
        await running

    asyncio.run(talk())


def test_the_end_of_the_other_side_fails_what_was_asked_and_what_is_asked_later() -> None:
    async def talk() -> None:
        async def leave() -> None:
            right.close()
            await asyncio.Event().wait()

        left, right, running = await ends({}, {"leave": leave})
        with pytest.raises(ChannelClosedError):
            await left.call("leave")
        with pytest.raises(ChannelClosedError):
            await left.call("leave")
        left.tell("leave")
        await running

    asyncio.run(talk())
