"""A server from a panel: started, asked, loaded, given versions, and left running by a panel that closes."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.panels.served import look_at, press, tiny_model, until
from workbench.core.artifact import Artifact
from workbench.panels.base import Session
from workbench.panels.parts.request_view import curl_of
from workbench.panels.parts.serving_plan import asked_of_serve, defaults
from workbench.panels.serve import ServePanel
from workbench.serve.sandbox import running

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.workspace import Workspace


@pytest.fixture
def model(fresh_workspace: Workspace, tmp_path: Path) -> Artifact:
    return tiny_model(tmp_path / "tiny", fresh_workspace)


@pytest.fixture
def session(fresh_workspace: Workspace, model: Artifact) -> Session:
    made = Session(fresh_workspace)
    made.variants = {"tiny": str(model.folder)}
    return made


def test_models_that_can_be_served_are_offered_and_others_are_told_what_to_do(session: Session, tmp_path: Path) -> None:
    (tmp_path / "h5").mkdir()
    (tmp_path / "h5" / "model.keras").write_bytes(b"x")
    trained = Artifact.write(tmp_path / "h5", file="model.keras", name="trained", format="tf_keras", numeric="float32")
    panel = ServePanel(session)
    session.variants = {**session.variants, "trained": str(trained.folder)}
    offered = next(field["choices"] for field in panel.form.widget.fields if field["name"] == "artifact")
    assert [choice["label"] for choice in offered] == ["tiny  ·  onnx float32"]
    assert panel.form.values["artifact"] == session.variants["tiny"]
    panel.form.write({"artifact": str(trained.folder)})
    assert "converted first" in panel.form.widget.notes["artifact"]
    panel.close()
    session.close()


def test_what_was_converted_in_the_workspace_is_offered(fresh_workspace: Workspace) -> None:
    run = fresh_workspace.new_run("convert")
    (run / "result").rmdir()
    tiny_model(run / "result", fresh_workspace)
    panel = ServePanel(workspace=fresh_workspace)
    assert panel.form.values["artifact"] == str(run / "result")
    panel.close()


def test_code_says_only_what_is_not_usual() -> None:
    assert asked_of_serve({**defaults(), "keep": False, "request_log": False}) == {}
    plan = {**defaults(), "mode": "on", "max_batch_size": 8, "grpc_port": None}
    assert asked_of_serve(plan) == {
        "keep": True, "request_log": True, "grpc_port": None, "batching": {"mode": "on", "max_batch_size": 8},
    }  # fmt: skip


def test_a_viewer_starts_and_stops_nothing(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = ServePanel(session)
    with monkeypatch.context() as patch:
        patch.setenv("WORKBENCH_ROLE", "viewer")
        for name in ("start", "stop", "publish", "rollback", "rollout", "load"):
            panel.errors.clear()
            press(panel, name)
            assert "operator" in panel.errors.message, name
    panel.close()
    session.close()


def test_start_ask_load_and_leave_it_running(session: Session, fresh_workspace: Workspace) -> None:
    panel = ServePanel(session)
    panel.form.write({"name": "tiny", "workers": 1, "keep": True})
    look_at(panel)
    press(panel, "start")
    until(panel, lambda: panel.heading.chip == "ready")
    assert panel.server is not None
    assert session.server == panel.server.folder.name
    assert "goes on when this page is closed" in panel._view._fate.text

    panel._sections.select("request")
    request = panel._sections.current
    request.form.write({"sample": 5, "samples": 3})
    press(panel, "ask")
    until(panel, lambda: bool(request._python.code))
    assert [row["right"] for row in request._table.rows] == ["right"] * 3
    assert [image["title"] for image in request._images.images] == ["5", "6", "7"]
    said = io.StringIO()
    with redirect_stdout(said):
        exec(compile(request._python.code, "shown", "exec"), {})
    assert said.getvalue().startswith("[[")
    assert curl_of("http://x", "m", {"version": 2, "client_id": "a"}, np.zeros((1, 2, 2, 1))).startswith(
        "curl -s -X POST http://x/v1/models/m/versions/2:predict \\\n  -H 'x-client-id: a'"
    )

    panel._sections.select("load")
    load = panel._sections.current
    load.form.write({"seconds": 0.2, "connections": 2, "warmup_seconds": 0.0})
    press(panel, "load")
    until(panel, lambda: bool(load._figure.summary))
    assert load.result.failed == 0
    assert "answers a second" in load._figure.summary

    panel._sections.select("log")
    until(panel, lambda: any("is served" in line["text"] for line in panel._log.widget.lines))
    server = panel.server
    panel.close()
    session.close()

    later = Session(fresh_workspace)
    second = ServePanel(later)
    look_at(second)
    until(second, lambda: second.heading.chip == "ready")  # the only one that runs is shown
    assert second.server.folder == server.folder
    press(second, "stop")
    until(second, lambda: second.heading.chip == "stopped")
    assert running(fresh_workspace) == {}
    second.close()
    later.close()


def test_versions_are_published_labelled_tried_and_rolled_back(session: Session, tmp_path: Path) -> None:
    panel = ServePanel(session)
    panel.form.write({"name": "tiny", "workers": 1, "keep": False})
    look_at(panel)
    press(panel, "start")
    until(panel, lambda: panel.heading.chip == "ready")
    versions = panel._sections.current
    until(panel, lambda: len(versions._table.rows) == 1)

    newer = tiny_model(tmp_path / "newer", session.workspace)
    panel.form.write({"artifact": str(newer.folder)})
    press(panel, "publish")
    until(panel, lambda: [row["answers"] for row in versions._table.rows] == ["answers", "kept"])

    press(panel, "label")
    until(panel, lambda: bool(panel.errors.message), errors=True)
    assert "stable" in panel.errors.message  # no gate has passed it, and nobody says why it may
    versions.form.write({"version": 2, "label": "stable", "why": "it is a test"})
    press(panel, "label")
    until(panel, lambda: versions._table.rows[0]["labels"] == "stable")

    panel._sections.select("rollout")
    rollout = panel._sections.current
    until(panel, lambda: len(rollout.form.widget.fields[0]["choices"]) == 2)
    rollout.form.write({"version": 1, "percent": 50.0})
    press(panel, "rollout")
    until(panel, lambda: rollout.report is not None and len(rollout._table.rows) == 2)
    assert [row["requests"] for row in rollout._table.rows] == [0, 0]
    press(panel, "abort")
    until(panel, lambda: rollout.report.state == "aborted")

    panel._sections.select("versions")
    press(panel, "rollback")
    until(panel, lambda: versions._table.rows[-1]["answers"] == "answers")
    assert panel.server is not None
    panel.server.stop()
    panel.close()
    session.close()
