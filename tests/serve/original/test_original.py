"""The original behind our handle, played by a stand-in that keeps its flags."""

from __future__ import annotations

import json
import os
import re
import signal
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest

from workbench.core.errors import BadInputError, ServingError
from workbench.jobs.job import Job
from workbench.serve.batching import Batching
from workbench.serve.sandbox import attach_server, serve
from workbench.serve.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.core.artifact import Artifact
    from workbench.core.workspace import Workspace

ONES = np.ones((1, 2), np.float32)
ORIGINAL = "tensorflow-serving"


def test_it_is_started_with_our_options_and_has_our_handle(
    original: Path, saved_model: Callable[[str], Artifact], home: Workspace
) -> None:
    batching = Batching(mode="on", max_batch_size=8, allowed_batch_sizes=(4, 8))
    with serve(
        saved_model("one"), "m", engine=ORIGINAL, workspace=home, threads=3, cors=True, batching=batching,
        drain_seconds=0.2,
    ) as server:  # fmt: skip
        flags = json.loads(original.read_text())
        port = server.url.rpartition(":")[2]
        assert (flags["rest_api_port"], flags["port"]) == (port, server.grpc.rpartition(":")[2])
        assert (flags["tensorflow_intra_op_parallelism"], flags["rest_api_enable_cors_support"]) == ("3", "true")
        said = (server.folder / "batching.config").read_text()
        assert flags["batching_parameters_file"] == str(server.folder / "batching.config")
        assert "max_batch_size { value: 8 }" in said
        assert said.endswith("allowed_batch_sizes: 4\nallowed_batch_sizes: 8\n")
        assert server.note == "tensorflow_model_server listens on every address of this machine"
        assert (server.versions, len(server.workers)) == ((1,), 1)
        assert server.client.predict(ONES).tolist() == [[1.0, 1.0]]
        done = server.publish(saved_model("two"), label="live")
        assert (done.loaded, done.unloaded) == ((("m", 2),), (("m", 1),))
        assert done.labels == {"m": {"live": 2}}
        assert server.client.predict(ONES).tolist() == [[2.0, 2.0]]
        with pytest.raises(ServingError, match="cannot parse the graph"):
            server.publish(saved_model("damaged"))
        with pytest.raises(ServingError, match="TensorFlow Serving has no rollouts"):
            server.rollout(1)
        assert attach_server("m", home).url == server.url
        assert "Running ModelServer at" in server.logs()
        process = psutil.Process(server.workers[0].pid)
    assert (server.state, Job(server.folder).state) == ("stopped", "done")
    assert not process.is_running()  # although it ignores SIGTERM


def test_it_does_not_outlive_a_killed_sandbox(
    original: Path, saved_model: Callable[[str], Artifact], home: Workspace
) -> None:
    server = serve(saved_model("one"), "m", engine=ORIGINAL, workspace=home)
    assert original.exists()
    process = psutil.Process(server.workers[0].pid)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    assert server.wait_end(5) == "failed"
    _, alive = psutil.wait_procs([process], timeout=5)
    assert not alive


def test_its_own_failure_is_told(original: Path, saved_model: Callable[[str], Artifact], home: Workspace) -> None:
    with pytest.raises(ServingError, match="cannot parse the graph"):
        serve(saved_model("damaged"), "m", engine=ORIGINAL, workspace=home, drain_seconds=0)
    program = original.with_name("tensorflow_model_server")
    program.write_text("#!/bin/sh\nexit 7\n")
    with pytest.raises(ServingError, match="tensorflow_model_server ended with exit code 7 before it was ready"):
        serve(saved_model("other"), "n", engine=ORIGINAL, workspace=home)


def test_where_it_is_missing_the_sentence_says_so(
    saved_model: Callable[[str], Artifact], home: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ServingError, match=r"^tensorflow_model_server is not on PATH; install .* docker"):
        serve(saved_model("one"), "m", engine=ORIGINAL, workspace=home)


@pytest.mark.usefixtures("original")
def test_what_it_cannot_do_is_refused_before_anything_starts(
    tiny_onnx: Artifact, saved_model: Callable[[str], Artifact], home: Workspace
) -> None:
    with pytest.raises(BadInputError, match="artifact must be a SavedModel for tensorflow-serving"):
        serve(tiny_onnx, "m", engine=ORIGINAL, workspace=home)
    assert not home.list_runs("serve")
    with pytest.raises(ServingError, match="which knows no keys"):
        serve(saved_model("one"), "n", engine=ORIGINAL, workspace=home, security={"api_keys": {"0" * 64: "admin"}})


def test_a_saved_model_lies_in_the_store_as_the_original_wants_it(
    saved_model: Callable[[str], Artifact], home: Workspace
) -> None:
    store = Store.of(home)
    artifact = saved_model("one")
    assert (store.publish(artifact, "m"), store.publish(artifact, "m")) == (1, 1)
    folder = store.versions("m")[1]
    assert {path.name for path in folder.iterdir()} == {"saved_model.pb", "variables", "manifest.json"}
    (folder / "saved_model.pb").write_text("changed")
    assert store.publish(artifact, "m") == 2
    assert re.fullmatch("one", (store.versions("m")[2] / "saved_model.pb").read_text())
