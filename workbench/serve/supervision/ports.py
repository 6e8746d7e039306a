"""Ports that are held before anybody listens on them, so that workers come and go and no other server takes one."""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct
import sys
from dataclasses import dataclass

from workbench.core.errors import ServingError

_SO_ATTACH_FILTER = 26
_RETURN = 0x06


@dataclass(frozen=True)
class HeldPort:
    """A port that only processes of this user who ask with `SO_REUSEPORT` may listen on.

    Attributes:
        number: The port.
        note: What its user should know, e.g. that the one asked for was taken; empty where there is nothing.
    """

    number: int
    note: str
    _socket: socket.socket

    def release(self) -> None:
        """Let it go."""
        self._socket.close()


def hold(host: str, port: int, *, fallback: bool = True) -> HeldPort:
    """Hold a port, another one where it is taken.

    Args:
        host: Address to listen on.
        port: Number; 0 takes a free one.
        fallback: Take a free one where this one cannot be had; otherwise that is an error.

    Raises:
        ServingError: No port can be had at this address, or not this one; the message names it.
    """
    try:
        held = _bound(host, port)
    except OSError as error:
        if not port or not fallback:
            raise _refusal(host, port, error) from error
        held = _any(host)
        chosen = held.getsockname()[1]
        return HeldPort(chosen, f"port {port} cannot be used ({error.strerror}), so {chosen} was chosen", held)
    return HeldPort(held.getsockname()[1], "", held)


def listener(host: str, port: int, backlog: int) -> socket.socket:
    """Return a socket that listens on a held port beside those of other workers."""
    found = socket.socket(_family(host), socket.SOCK_STREAM)
    try:
        # Of its connections none keeps the port, once they are closed, from a server to come.
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _share(found)
        found.bind((host, port))
        found.listen(backlog)
        found.setblocking(False)  # noqa: FBT003 - the standard library's own signature
    except BaseException:
        found.close()
        raise
    return found


def deafen(one: socket.socket) -> None:
    """Let no new connection reach a listening socket, so that those it has can be taken before it closes.

    What the kernel has accepted for a socket that closes is reset. Where this cannot be done (it is Linux's), a
    connection may still be lost between the last that was taken and the close.
    """
    # A filter of one instruction: "return 0 bytes". Whoever comes asks again a second later, and is refused then.
    program = ctypes.create_string_buffer(struct.pack("HBBI", _RETURN, 0, 0, 0))
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(program)))


def _any(host: str) -> socket.socket:
    try:
        return _bound(host, 0)
    except OSError as error:
        raise _refusal(host, 0, error) from error


def _refusal(host: str, port: int, error: OSError) -> ServingError:
    if not port:
        return ServingError(f"no port of {host} can be used ({error.strerror}); listen on an address of this machine.")
    return ServingError(
        f"port {port} of {host} cannot be used ({error.strerror}); end the program that has it or give another number."
    )


def _bound(host: str, port: int) -> socket.socket:
    held = socket.socket(_family(host), socket.SOCK_STREAM)
    try:
        # Connections of a server that has just ended do not keep the port from us …
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind((host, port))
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        # … and only from now on it is shared: asked for before, we would bind beside another sandbox's.
        _share(held)
    except BaseException:
        held.close()
        raise
    return held


def _share(one: socket.socket) -> None:
    with contextlib.suppress(AttributeError):  # a system without it has one worker
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
