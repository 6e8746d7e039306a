"""Held ports: shared by workers, by nobody else."""

from __future__ import annotations

import errno
import select
import socket
import sys

import pytest

from workbench.core.errors import ServingError
from workbench.serve.supervision.ports import deafen, hold, listener

HERE = "127.0.0.1"


def test_workers_share_a_held_port_and_come_and_go() -> None:
    held = hold(HERE, 0)
    assert held.note == ""
    first, second = (listener(HERE, held.number, 8) for _ in range(2))
    first.close()
    third = listener(HERE, held.number, 8)
    with socket.create_connection((HERE, held.number), timeout=5):
        pass
    for each in (second, third):
        each.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HERE, held.number), timeout=5)
    held.release()


def test_nobody_else_gets_a_held_port_whether_a_worker_listens_or_not() -> None:
    held = hold(HERE, 0)
    for worker in (None, listener(HERE, held.number, 8)):
        other = hold(HERE, held.number)
        assert other.number != held.number
        assert other.note == (
            f"port {held.number} cannot be used (Address already in use), so {other.number} was chosen"
        )
        other.release()
        refusal = (
            f"^port {held.number} of {HERE} cannot be used .*in use.*; end the program that has it or give another"
        )
        with pytest.raises(ServingError, match=refusal):
            hold(HERE, held.number, fallback=False)
        if worker is not None:
            worker.close()
    held.release()


@pytest.mark.parametrize("port", [0, 8500])
def test_an_address_that_is_not_ours_is_named(port: int) -> None:
    with pytest.raises(ServingError, match=r"^no port of 192\.0\.2\.1 can be used .*; listen on an address of this"):
        hold("192.0.2.1", port)


@pytest.mark.skipif(sys.platform != "linux", reason="the filter is Linux's")
def test_a_deaf_listener_loses_nobody() -> None:
    held = hold(HERE, 0)
    server = listener(HERE, held.number, 8)
    early = socket.create_connection((HERE, held.number), timeout=5)
    deafen(server)
    late = socket.socket()
    late.setblocking(False)  # noqa: FBT003 - the standard library's own signature
    assert late.connect_ex((HERE, held.number)) == errno.EINPROGRESS  # nobody answers
    accepted, _ = server.accept()
    with pytest.raises(BlockingIOError):
        server.accept()
    server.close()
    early.sendall(b"?")
    accepted.settimeout(5)
    assert accepted.recv(1) == b"?"
    select.select([], [late], [], 10)  # it asks again
    assert late.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED
    for each in (early, accepted, late):
        each.close()
    held.release()


def test_a_port_is_free_again_at_once_after_its_server() -> None:
    held = hold(HERE, 0)
    with listener(HERE, held.number, 8) as server:
        client = socket.create_connection((HERE, held.number), timeout=5)
        server.settimeout(5)
        accepted, _ = server.accept()
        accepted.close()  # the server's side closes first and stays in TIME_WAIT
        client.close()
    held.release()
    again = hold(HERE, held.number, fallback=False)
    assert again.number == held.number
    again.release()
