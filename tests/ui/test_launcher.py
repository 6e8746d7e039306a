"""`workbench dashboard` as a process: its address, its door, its end."""

from __future__ import annotations

import signal
import socket
import urllib.error
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psutil
import pytest
from probing import ready

from workbench.core.workspace import Workspace
from workbench.jobs import submit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Dashboard

pytestmark = pytest.mark.ui


def status(url: str) -> tuple[int, str]:
    with urllib.request.urlopen(url) as response:
        return response.status, response.url


def test_without_the_token_there_is_only_the_login(dashboard: Dashboard) -> None:
    door = dashboard.url.split("?")[0]
    assert urlsplit(status(door)[1]).path == "/login"
    with pytest.raises(urllib.error.HTTPError) as refused:
        status(f"{door}voila/files/training.ipynb")
    assert refused.value.code == 403
    refused.value.close()


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_the_end_leaves_no_process_and_no_taken_port_stops_it(
    tmp_path: Path, sign: int, start: Callable[..., Dashboard]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        wished = taken.getsockname()[1]
        running = start(tmp_path / "home", tmp_path, port=wished)
        try:
            assert urlsplit(running.url).port != wished
            status(running.url)
            assert running.kernels
            job = submit("probe_stages:hold", {}, kind="probe", workspace=Workspace.at(running.home), reuse=False)
            ready(job)
        finally:
            running.stop(sign)
    assert job.state == "lost"
    home = str(tmp_path / "home")
    left = [p for p in psutil.process_iter(["cmdline", "environ"]) if home in str(p.info)]
    # What was told to end may need a moment; whatever stays is left over.
    _, left = psutil.wait_procs(left, timeout=10)
    assert [process.cmdline() for process in left] == []
