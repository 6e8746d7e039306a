"""One server of two workers, asked in every way that its handle has."""

from __future__ import annotations

import json
import os
import urllib.request
from typing import TYPE_CHECKING

import numpy as np
import pytest

import workbench
from workbench.core.errors import BadInputError, GateFailedError, ServingError, WorkspaceError
from workbench.core.records import Override, Verdict
from workbench.core.workspace import Workspace
from workbench.serve.sandbox import Sandbox, attach_server, running, serve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.core.artifact import Artifact

ONES = np.ones((1, 2), np.float32)


def answer(sandbox: Sandbox, **how: str | int) -> float:
    return float(sandbox.client.predict(ONES, **how)[0, 0])


def test_every_door_answers(pair: Sandbox) -> None:
    for url in (pair.url, pair.v2_url, f"grpc://{pair.grpc}", f"grpc+oip://{pair.grpc}"):
        with workbench.client(url, "m") as client:
            assert client.predict(ONES).tolist() == [[answer(pair)] * 2], url
    with urllib.request.urlopen(pair.v2_url.removesuffix("/v2") + "/v1/models/m") as reply:
        assert json.load(reply) == {"name": "m", "ready": True}  # KServe's form, on that port alone


def test_its_workers_are_told(pair: Sandbox) -> None:
    assert [(one.state, one.restarts, one.error) for one in pair.workers] == [("ready", 0, "")] * 2
    assert len({os.getpid(), pair.pid, *(one.pid for one in pair.workers)}) == 4


def test_stats_are_of_all_workers(pair: Sandbox) -> None:
    before = pair.stats().requests
    for _ in range(20):
        with workbench.client(pair.url, "m") as client:  # a connection of its own, for either worker
            client.predict(ONES)
    assert pair.stats().requests == before + 20


def test_publish_is_live_when_it_returns_and_says_what_it_did(
    pair: Sandbox, numbered: Callable[[int], Artifact]
) -> None:
    (old,) = pair.versions
    done = pair.publish(numbered(7), label="live")
    assert (done.loaded, done.unloaded) == ((("m", old + 1),), (("m", old),))
    assert done.labels == {"m": {"live": old + 1}}
    assert (pair.versions, answer(pair), answer(pair, label="live")) == ((old + 1,), 7.0, 7.0)
    # A version that a label means stays, beside the new one.
    done = pair.publish(numbered(8))
    assert (pair.versions, done.unloaded) == ((old + 1, old + 2), ())
    assert (answer(pair), answer(pair, label="live")) == (8.0, 7.0)
    pair._store.label("m", "live", old + 2)  # as another process would
    done = pair.reload()
    assert done.labels == {"m": {"live": old + 2}}
    assert answer(pair, label="live") == 8.0
    assert f"loaded m/{old + 2}" in pair.logs()


def test_only_what_passed_is_published_as_stable(pair: Sandbox, numbered: Callable[[int], Artifact]) -> None:
    before, answered = pair.versions, answer(pair)
    with pytest.raises(BadInputError, match="must have passed a gate to be called stable, got 'a model without"):
        pair.publish(numbered(5), label="stable")
    with pytest.raises(GateFailedError, match="m must pass its gate"):
        pair.publish(numbered(5), label="stable", verdict=Verdict(passed=False, lines=()))
    assert (pair.versions, answer(pair)) == (before, answered)
    done = pair.publish(numbered(5), label="stable", override=Override(who="anna", why="a test"))
    assert (done.labels["m"]["stable"], answer(pair, label="stable")) == (pair.versions[-1], 5.0)
    done = pair.publish(numbered(6), label="stable", verdict=Verdict(passed=True, lines=()))
    assert (done.labels["m"]["stable"], answer(pair, label="stable")) == (pair.versions[-1], 6.0)


def test_a_version_that_cannot_be_loaded_says_why_and_the_old_one_goes_on(
    pair: Sandbox, numbered: Callable[[int], Artifact], tmp_path: Path
) -> None:
    before = answer(pair)
    (tmp_path / "model.onnx").write_bytes(b"these are no protocol buffers")
    broken = workbench.Artifact.write(tmp_path, file="model.onnx", name="no", format="onnx", numeric="float32")
    with pytest.raises(ServingError, match=r"model\.onnx must be a model that the onnx engine can open"):
        pair.publish(broken)
    assert answer(pair) == before
    assert pair.client.status()[0].state == "END"
    pair.publish(numbered(9))
    assert answer(pair) == 9.0


def test_attach_gives_a_handle_with_the_same_face(pair: Sandbox, home: Workspace) -> None:
    for how in ("m", pair.folder.name, pair.folder):
        other = attach_server(how, home)
        assert (other.state, other.pid, other.url, other.grpc) == ("ready", pair.pid, pair.url, pair.grpc)
        assert (other.versions, other.workers, other.note) == (pair.versions, pair.workers, pair.note)
        assert answer(other) == answer(pair)
    assert running(home) == {pair.folder: "m"}
    assert running(home, kept=True) == {}


def test_what_does_not_run_cannot_be_attached(pair: Sandbox, home: Workspace, tmp_path: Path) -> None:
    assert pair.state == "ready"
    with pytest.raises(BadInputError, match="server must name a server that runs, got 'other'; these run: m"):
        attach_server("other", home)
    with pytest.raises(BadInputError, match="none runs; start one with"):
        attach_server("m", Workspace.at(tmp_path / "empty"))


def test_behind_a_hub_both_addresses_are_shown(pair: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pair.proxy_url is None
    port = pair.url.rpartition(":")[2]
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
    assert pair.proxy_url == f"/user/ada/proxy/{port}/"
    assert repr(pair) == f"Sandbox('m', ready at {pair.url}, from outside /user/ada/proxy/{port}/)"
    monkeypatch.setenv("JUPYTERHUB_PUBLIC_URL", "https://hub.example.org/user/ada/")
    assert pair.proxy_url == f"https://hub.example.org/user/ada/proxy/{port}/"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"host": "0.0.0.0"}, r"host must be 127\.0\.0\.1, ::1 or localhost where no API keys are set"),
        ({"host": "example.org", "security": {"api_keys": {"0" * 64: "admin"}}}, "host must be an IP address"),
        ({"engine": "torchserve"}, "engine must be one of workbench, tensorflow-serving, ray, got 'torchserve'"),
        ({"worker": 3}, "worker is not a setting of ServeSettings"),
    ],
)
def test_what_may_not_be_asked(
    numbered: Callable[[int], Artifact], tmp_path: Path, settings: dict[str, object], said: str
) -> None:
    with pytest.raises(BadInputError, match=said):
        serve(numbered(1), "m", workspace=Workspace.at(tmp_path), **settings)


def test_a_door_that_is_off_says_how_to_get_it(numbered: Callable[[int], Artifact], tmp_path: Path) -> None:
    with serve(numbered(1), "m", workers=1, grpc_port=None, workspace=Workspace.at(tmp_path)) as sandbox:
        with pytest.raises(ServingError, match="has no gRPC port; give grpc_port=0"):
            sandbox.grpc  # noqa: B018
        assert sandbox.v2_url == f"{sandbox.url}/v2"


def test_damaged_labels_change_nothing(pair: Sandbox) -> None:
    labels = pair._store.base / "m" / "labels.json"
    good = labels.read_bytes() if labels.exists() else b"{}"
    labels.write_text("[]")
    before = pair.versions
    with pytest.raises((ServingError, WorkspaceError), match=r"labels\.json must map labels to version numbers"):
        pair.reload()
    assert pair.versions == before
    labels.write_bytes(good)
