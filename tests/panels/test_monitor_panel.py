"""A server that is watched: alarms as they come, drift in words, rules as a list, a drill as it happens."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.panels.served import look_at, tiny_model, until
from workbench.core.events import Event
from workbench.core.records import DrillReport
from workbench.core.records.drill import DrillMoment
from workbench.core.records.monitor import ClassShare, DriftReport, DriftTest, FeatureDrift
from workbench.panels.monitor import MonitorPanel
from workbench.panels.parts.chosen_server import ServerChoice
from workbench.panels.parts.drift_view import DriftView
from workbench.panels.parts.monitor_plan import MonitorPlan, code_of, plan_in, texts_in
from workbench.serve.sandbox import serve

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.workspace import Workspace
    from workbench.serve.handle import Sandbox


def ask(server: Sandbox, times: int) -> None:
    image = np.zeros((1, 4, 4, 1), np.float32)
    for number in range(times):
        image.flat[number % 16] = 1
        server.client.predict(image)


def test_rules_are_a_list_and_a_wrong_one_is_told(fresh_workspace: Workspace) -> None:
    panel = MonitorPanel(workspace=fresh_workspace)
    rules = panel._rules.widget
    assert rules.items == ["error_rate above 0.05", "drift above 0"]
    rules.items = ["p95_ms above 50 for 3", "nonsense", "p95_ms above 50"]
    assert rules.errors["nonsense"].startswith("rule must say one of")
    assert "already" in rules.errors["p95_ms above 50"]
    assert not panel.form.valid
    rules.items = ["p95_ms above 50 for 3"]
    assert rules.errors == {}
    assert panel.form.valid
    assert panel.settings.model_dump()["rules"] == "p95_ms above 50 for 3"
    panel.form.write({"rules": "accuracy below 0.9; drift above 0"})
    assert rules.items == ["accuracy below 0.9", "drift above 0"]
    panel.close()


@pytest.mark.parametrize("kind", [MonitorPlan, ServerChoice])
def test_no_server_is_a_choice_too(kind: type[MonitorPlan | ServerChoice]) -> None:
    assert kind.parse({"server": None}).server == ""


def test_code_holds_all_that_is_asked() -> None:
    plan = {**MonitorPlan().model_dump(), "server": "serve-1", "seconds": 0.5, "window": 60, "react": True}
    code = code_of(plan, "/models/a b", "'digits'")
    compile(code, "code", "exec")
    assert MonitorPlan.parse(plan_in(code)).model_dump() == plan
    assert plan_in(code_of({**plan, "drift": False, "rules": ""}, "", ""))["drift"] is False
    assert texts_in(plan_in(code_of({**plan, "rules": ""}, "", ""))["rules"]) == []


def test_a_server_is_watched_alarms_come_and_its_end_is_told(fresh_workspace: Workspace, tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "tiny", fresh_workspace)
    settings: dict[str, Any] = {"workers": 1, "request_log": {"flush_seconds": 0.05}}
    with serve(model, "tiny", workspace=fresh_workspace, **settings) as server:
        panel = MonitorPanel(workspace=fresh_workspace)
        panel.form.write(
            {
                "seconds": 0.1,
                "recent_seconds": 3600.0,
                "window": 40,
                "stride": 40,
                "rules": "p95_ms above 0; error_rate above 0.5",
            }
        )
        look_at(panel)
        until(panel, lambda: panel.session.server == server.folder.name)  # the only one that runs
        until(panel, lambda: "Waiting for a window" in panel._drift._line.text)
        ask(server, 60)
        until(panel, lambda: any(moment["kind"] == "alarm" for moment in panel._timeline.moments))
        until(panel, lambda: panel.heading.chip == "alarms: 1")
        assert panel._rules.widget.chips["p95_ms above 0"]["tone"] == "bad"
        assert panel._rules.widget.chips["error_rate above 0.5"] == {"text": "good, 0 %", "tone": "good"}
        assert [tab["badge"] for tab in panel._sections.tabs.tabs if tab["name"] == "rules"] == ["1"]
        until(panel, lambda: len(panel._drift._tests.rows) > 0)  # shown last of a window
        assert [image["title"] for image in panel._drift._images.images] == ["Training", "Requests"]
        until(panel, lambda: "measured on 60" in panel._health.tiles.tiles[1]["detail"])
        assert panel._health.tiles.tiles[1]["value"] == "0.00 %"
        assert f"wb.Artifact.load({str(fresh_workspace.models / 'tiny' / '1')!r})" in panel.code()
        server.stop()
        until(panel, lambda: any(moment["words"] == "tiny was stopped" for moment in panel._timeline.moments))
        panel.close()


def test_a_server_that_notes_nothing_is_watched_by_its_counters(fresh_workspace: Workspace, tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "tiny", fresh_workspace)
    with serve(model, "tiny", workspace=fresh_workspace, workers=1) as server:
        panel = MonitorPanel(workspace=fresh_workspace)
        panel.form.write({"seconds": 0.1})
        look_at(panel)
        until(panel, lambda: panel.heading.chip == "watching")
        assert "notes no requests" in panel._drift._line.text
        ask(server, 30)
        until(panel, lambda: panel._health.tiles.tiles[1]["value"] == "0.00 %")
        panel.close()


def test_drift_is_said_in_words_and_shown() -> None:
    view = DriftView()
    features = [FeatureDrift(index=n, distance=0.9, p_value=1e-9, alarm=True, before=n / 4, now=0.0) for n in range(4)]
    told = DriftTest(family="input", statistic=0.9, p_value=1e-9, level=1e-3, alarm=True, words="It is darker.")
    calm = DriftTest(family="confidence", statistic=0.1, p_value=0.5, level=1e-3, alarm=False)
    report = DriftReport(
        samples=250, begun=0.0, ended=1.0, tests=(told, calm), features=tuple(features), shape=(2, 2),
        classes=(ClassShare(label="a", before=0.5, now=1.0),),
    )  # fmt: skip
    view.show(report)
    assert view._line.text == "1 of 2 comparisons differ in the last 250 samples"
    assert [item["text"] for item in view._remarks.items] == ["It is darker."]
    assert view._images.images[0]["rows"] == [[0.0, 1 / 3], [2 / 3, 1.0]]
    assert [row["verdict"] for row in view._tests.rows] == ["differs", "alike"]
    view.clear("Nothing was compared yet")
    assert view._images.images == []


def test_a_drill_is_told_as_it_happens_and_what_it_teaches(fresh_workspace: Workspace) -> None:
    moments = [
        DrillMoment(seconds=0.0, kind="begun", words="Clients ask."),
        DrillMoment(seconds=3.0, kind="fault", words="A worker is killed."),
        DrillMoment(seconds=4.5, kind="alarm", words="restarts is 1."),
    ]
    report = DrillReport(
        fault="worker_killed", title="a worker is killed", timeline=tuple(moments), noticed_seconds=1.5,
        reaction_seconds=None, restored_seconds=6.0, requests=400, failed=0, lesson="It ends again by cause.",
    )  # fmt: skip
    panel = MonitorPanel(workspace=fresh_workspace)
    view = panel._drill
    view._job = SimpleNamespace(value=report.to_json)  # type: ignore[assignment] - all that is asked of it
    view._on_news([Event("moment", 0.0, moments[0].to_json())], "running")
    assert [moment["kind"] for moment in view._timeline.moments] == ["begun"]
    assert not next(one for one in view._bar.actions if one["name"] == "drill")["enabled"]
    view._on_news([Event("moment", 0.0, one.to_json()) for one in moments[1:]], "done")
    assert [moment["time"] for moment in view._timeline.moments] == ["0.0 s", "3.0 s", "4.5 s"]
    assert view._tiles.tiles[0]["value"] == "1.5 s"
    assert view._lesson.items == [{"topic": "a worker is killed", "text": "It ends again by cause."}]
    assert view._line.text.startswith("Passed")
    panel.close()
