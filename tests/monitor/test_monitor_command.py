"""`workbench monitor` looks once, or until it is interrupted."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pytest

from tests.monitor.streams import digits
from workbench.serve.request_log.files import Files
from workbench.serve.request_log.settings import RequestLogSettings

if TYPE_CHECKING:
    from pathlib import Path

WORKBENCH = (sys.executable, "-m", "workbench", "monitor")


@pytest.fixture
def drifted(tmp_path: Path) -> Path:
    """The run folder of a server whose samples were turned, with a reference beside."""
    data = digits()
    data.reference.save(tmp_path / "reference.npz")
    requests = data.drifted("rotated").requests(np.arange(300), start=1e9)
    lines = [orjson.dumps(request.to_json()) + b"\n" for request in requests]
    Files(tmp_path / "requests", 0, RequestLogSettings()).append(lines)
    return tmp_path


def test_one_look_ends_with_1_where_a_rule_is_broken(drifted: Path) -> None:
    asked = [*WORKBENCH, str(drifted), "--once", "--home", str(drifted / "home")]
    done = subprocess.run(
        [*asked, "--reference", str(drifted / "reference.npz")], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1, done.stderr
    assert "RAISED  drift is" in done.stdout
    assert "darker than the reference" in done.stdout
    done = subprocess.run(
        [*asked, "--json", "--rule", "p95_ms above 1e4"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["requests"], report["alarms"], report["drift"]) == (300, [], None)
    for more, said in (([], "300 requests, no rule is broken.\n"), (["--model", "another"], "No request yet.\n")):
        done = subprocess.run(
            [*asked, "--rule", "p95_ms above 1e4", *more], capture_output=True, text=True, check=False, timeout=60
        )
        assert (done.returncode, done.stdout) == (0, said)


def test_it_watches_until_it_is_interrupted_and_its_command_is_given_the_alarm(drifted: Path) -> None:
    bell = drifted / "bell.json"
    ring = f"{sys.executable} -c \"import shutil, sys; shutil.copyfileobj(sys.stdin, open('{bell}', 'w'))\""
    with subprocess.Popen(
        [
            *WORKBENCH, str(drifted), "--reference", str(drifted / "reference.npz"), "--seconds", "0.05",
            "--command", ring, "--home", str(drifted / "home"),
        ],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert "RAISED" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.wait() == 0
    assert json.loads(bell.read_text())["metric"] == "drift"


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--rule", "p95 high"], "rule must say one of"),
        (["--artifact", "x"], "dataset must be given with the other of"),
        (["--webhook", "bell"], "must be an address of http or https"),
        (["--reference", "none.npz"], "make it again"),
        (["--window", "3"], "window must be at least 20"),
        (["--react", "--once"], "react must not be given with --once"),
        (["--hard", "mine"], "hard must be given with --react"),
        (["--react", "--hard", "mine"], "dataset must be given with --hard"),
        (["--dataset", "digits"], "artifact must be given with the other of"),
        (["--react"], "server must be a server that was started or attached to"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path: Path, flags: list[str], sentence: str) -> None:
    done = subprocess.run(
        [*WORKBENCH, str(tmp_path), "--home", str(tmp_path / "home"), *flags],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
