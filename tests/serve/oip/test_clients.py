"""Clients that nobody here wrote cannot tell the server from those they were written for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.serve.client_venv import client_python, run_client
from tests.serve.oip.running import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.thorough

SCRIPTS = Path(__file__).parent / "clients"
TRITON = "tritonclient[http,grpc]"


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running() as found:
        yield found


def test_triton_over_http(server: Running) -> None:
    assert "fine" in run_client(client_python(TRITON), SCRIPTS / "triton_http.py", server.http)


def test_triton_over_grpc(server: Running) -> None:
    assert "fine" in run_client(client_python(TRITON), SCRIPTS / "triton_grpc.py", server.grpc)


def test_kserve(server: Running) -> None:
    assert "fine" in run_client(client_python("kserve"), SCRIPTS / "kserve_client.py", server.http, server.grpc)


def test_ovms(server: Running) -> None:
    assert "fine" in run_client(client_python("ovmsclient"), SCRIPTS / "ovms.py", server.rest, server.grpc)
