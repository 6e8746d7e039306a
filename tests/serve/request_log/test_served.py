"""The request log of a real server: whatever door is used, and whatever becomes of its processes."""

from __future__ import annotations

import gzip
import json
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import urllib3

from workbench.core.errors import BadInputError
from workbench.core.workspace import Workspace
from workbench.monitor.request_log import follow, read
from workbench.serve.client import client
from workbench.serve.sandbox import Sandbox, serve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.core.artifact import Artifact
    from workbench.core.records import LoggedRequest

SECONDS = 30.0
X = np.arange(8, dtype=np.float32).reshape(2, 2, 2, 1) / 8


def post(url: str, document: dict[str, Any], *, short: bool = True, **headers: str) -> None:
    body = json.dumps(document).encode()
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if not short:  # what is compressed goes the complete way
        body, sent["content-encoding"] = gzip.compress(body), "gzip"
    reply = urllib3.request("POST", url, body=body, headers=sent)
    assert reply.status == 200, reply.data


def until(folder: Path, enough: Callable[[list[LoggedRequest]], bool]) -> list[LoggedRequest]:
    """Return what was noted when it is enough."""
    found, stop = [], threading.Event()
    limit = threading.Timer(SECONDS, stop.set)
    limit.start()
    for requests in follow(folder, stop, seconds=0.02):
        found += requests
        if enough(found):
            break
    assert not stop.is_set(), found
    limit.cancel()
    return found


def test_every_door_notes_and_a_stop_loses_nothing(tiny_onnx: Artifact, serve_workspace: Workspace) -> None:
    with serve(tiny_onnx, "tiny", workspace=serve_workspace, request_log=True, workers=1) as sandbox:
        v1, v2 = f"{sandbox.url}/v1/models/tiny:predict", f"{sandbox.url}/v2/models/tiny/infer"
        tensor = {"name": "image", "shape": [*X.shape], "datatype": "FP32", "data": X.ravel().tolist()}
        for short in (True, False):
            post(v1, {"instances": X.tolist()}, short=short, X_Request_Id=f"v1-{short}", x_client_id="bob")
            post(v2, {"inputs": [tensor]}, short=short, X_Request_Id=f"v2-{short}", x_client_id="eve")
        for number, url in enumerate(
            (f"grpc://{sandbox.grpc}", f"grpc+oip://{sandbox.grpc}", sandbox.url, f"{sandbox.url}/v2")
        ):
            with client(url, "tiny") as asking:
                asking.predict(X, headers={"X-Request-Id": f"client-{number}", "x-client-id": "bob"})
        post(v1, {"instances": X.tolist()})
        folder = sandbox.folder
    noted, cursor = read(folder)
    assert [one.api for one in noted] == ["REST", "OIP", "REST", "OIP", "GRPC", "OIP", "REST", "OIP", "REST"]
    assert [one.id for one in noted[:4]] == ["v1-True", "v2-True", "v1-False", "v2-False"]
    assert [one.id for one in noted[4:8]] == [f"client-{number}" for number in range(4)]
    assert len({one.id for one in noted}) == 9
    bob = noted[0].key
    assert [one.key == bob for one in noted] == [True, False, True, False, *[True] * 4, False]
    assert noted[8].key == ""
    assert {one.predictions for one in noted} == {(3, 3)}
    assert {one.features for one in noted} == {tuple(tuple(each) for each in X.reshape(2, 4).tolist())}
    assert {(one.model, one.version, one.code, one.examples) for one in noted} == {("tiny", noted[0].version, "OK", 2)}
    assert cursor.damaged == 0


@pytest.mark.faults
def test_a_crash_loses_nothing_that_was_written_and_its_successor_goes_on(
    tiny_onnx: Artifact, serve_workspace: Workspace
) -> None:
    with serve(tiny_onnx, "tiny", workspace=serve_workspace, request_log={"flush_seconds": 0.05}, workers=2) as sandbox:
        for killed in (0, 1):
            ask(sandbox, 50)
            until(sandbox.folder, lambda found, many=50 * (killed + 1): len(found) == many)
            victim = sandbox.workers[killed].pid
            os.kill(victim, signal.SIGKILL)
            while (successor := sandbox.workers[killed]).pid == victim or successor.state != "ready":
                pass
        ask(sandbox, 50)
        found = until(sandbox.folder, lambda found: len(found) == 150)
        page = urllib3.request("GET", f"{sandbox.url}/monitoring/prometheus/metrics").data.decode()
    assert len({one.id for one in found}) == 150
    assert read(sandbox.folder)[1].damaged == 0
    assert 'workbench:serving:request_log_total{model_name="tiny",outcome="written"} 150.0' in page


@pytest.mark.faults
def test_where_there_is_no_room_it_serves_and_goes_on_when_there_is(
    tiny_onnx: Artifact, serve_workspace: Workspace
) -> None:
    with serve(tiny_onnx, "tiny", workspace=serve_workspace, request_log={"flush_seconds": 0.05}, workers=1) as sandbox:
        obstacle = sandbox.folder / "requests"
        obstacle.write_bytes(b"")
        ask(sandbox, 20)
        while "cannot be written" not in sandbox.logs():
            ask(sandbox, 1)
        obstacle.unlink()
        while not read(sandbox.folder)[0]:
            ask(sandbox, 1)
        while "is written again" not in sandbox.logs():
            ask(sandbox, 1)
    assert sandbox.logs().count("cannot be written") == 1


def test_nothing_is_noted_where_nobody_asked(served: Sandbox) -> None:
    ask(served, 1)
    assert not (served.folder / "requests").exists()


@pytest.mark.parametrize("engine", ["ray", "tensorflow-serving"])
def test_others_that_note_nothing_are_not_asked_to(engine: Any, tiny_onnx: Artifact, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=f"request_log must be left out where {engine} serves"):
        serve(tiny_onnx, "tiny", workspace=Workspace.at(tmp_path), engine=engine, request_log=True)
    assert not list(tmp_path.iterdir())


def ask(sandbox: Sandbox, times: int) -> None:
    for _ in range(times):
        sandbox.client.predict(X)
