"""A standing loop rolls back what does badly, retrains what drifts, and neither toggles nor goes on for ever."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

import workbench.convert
import workbench.train
from tests.serve.unceasing import Unceasing, until
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.core.records import Override
from workbench.core.workspace import Workspace
from workbench.evaluate.gate import Gate
from workbench.monitor.alarms import Rule
from workbench.monitor.drift import DriftSettings, Reference
from workbench.monitor.labels import label
from workbench.monitor.settings import MonitorSettings
from workbench.monitor.watch import Monitor
from workbench.pipeline.budget import RetrainBudget
from workbench.pipeline.hard_set import hard_set
from workbench.pipeline.loop import Loop
from workbench.pipeline.reactions import ReactionSettings
from workbench.serve.request_log.settings import RequestLogSettings
from workbench.serve.sandbox import serve
from workbench.serve.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from workbench.core.records import AlarmEvent
    from workbench.core.records.loop import LoopEvent, LoopReport
    from workbench.datasets import Dataset
    from workbench.serve.handle import Sandbox

NOTES = RequestLogSettings(flush_seconds=0.05)
LET = Override(who="test", why="to see who notices")
WRONG = Rule(metric="accuracy", below=0.7, clear_after=1)
SETTLE = 100.0


@pytest.fixture
def factor(tmp_path: Path) -> Callable[[float], Artifact]:
    """Return the model that multiplies its input (n, 2) by a number: by one below zero it names the other class."""
    from onnx import TensorProto, helper

    def make(number: float) -> Artifact:
        x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in "xy")
        value = helper.make_tensor("k", TensorProto.FLOAT, [], [number])
        nodes = [helper.make_node("Constant", [], ["k"], value=value), helper.make_node("Mul", ["x", "k"], ["y"])]
        graph = helper.make_graph(nodes, "factor", [x], [y])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
        folder = tmp_path / f"factor{number:g}"
        folder.mkdir()
        (folder / "model.onnx").write_bytes(model.SerializeToString())
        return Artifact.write(folder, file="model.onnx", name="factor", format="onnx", numeric="float32")

    return make


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    """A workspace of one test, without a cluster."""
    return Workspace.at(tmp_path / "home")


@pytest.fixture
def served(factor: Callable[[float], Artifact], place: Workspace, request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A server whose stable version 1 multiplies by the number given, else by 1."""
    store, first = Store.of(place), factor(getattr(request, "param", 1))
    store.label("m", "stable", store.publish(first, "m", override=LET), bless=None)
    with serve(first, "m", workspace=place, request_log=NOTES, workers=1) as sandbox:
        yield sandbox


class Watched:
    """A loop, and clients who label what they asked."""

    def __init__(self, server: Sandbox, place: Workspace, **settings: float) -> None:
        self.server = server
        self.events: list[LoopEvent] = []
        asked = ReactionSettings(settle_seconds=SETTLE, **settings)  # type: ignore[arg-type]
        self.monitor = Monitor(server, rules=[WRONG], targets=[], settings=MonitorSettings(min_labels=10))
        self.loop = Loop(server, self.monitor, asked, workspace=place)
        self.loop.step()
        self._now = time.time()

    def ask(self, name: str, count: int = 20) -> LoopReport:
        """Have requests answered and labelled, and look until all of them were seen."""
        names = [f"{name}-{each}" for each in range(count)]
        for each in names:
            self.server.client.predict(np.array([[0.2, 0.8]], np.float32), headers={"x-request-id": each})
        label(self.server, dict.fromkeys(names, 1))
        reports: list[LoopReport] = []

        def seen() -> bool:
            reports.append(self.loop.step(self._now))
            self.events += reports[-1].events
            return sum(each.monitor.requests for each in reports) >= count

        until(seen)
        return reports[-1]

    def settle(self) -> None:
        """Let the time after a reaction pass."""
        self._now += SETTLE + 1

    @property
    def acts(self) -> list[tuple[str, int | None]]:
        """What was done so far."""
        return [(event.act, event.version) for event in self.events]


def publish_past_gate(server: Sandbox, artifact: Artifact) -> None:
    """Let a version answer everybody."""
    server.publish(artifact, label="stable", override=LET)


@pytest.mark.faults
def test_a_bad_version_is_rolled_back_once_and_the_next_one_only_as_often_as_allowed(
    served: Sandbox, factor: Callable[[float], Artifact], place: Workspace
) -> None:
    watched = Watched(served, place, max_rollbacks=1)
    watched.ask("good")
    assert watched.acts == []
    publish_past_gate(served, factor(-1))
    report = watched.ask("bad")
    assert report.settling
    assert watched.acts == [("rolled_back", 1)]
    assert watched.events[0].words.startswith("Version 1 answers again: accuracy is 0")
    watched.ask("after")  # while it settles
    watched.settle()
    assert watched.ask("well").monitor.alarms == ()
    assert watched.acts == [("rolled_back", 1)]
    assert served.answering == 1
    last = Store.of(place).history("m")[-1]
    assert (last.action, last.version, last.who) == ("rollback", 1, "loop")
    publish_past_gate(served, factor(-2))
    for name in ("worse", "worst"):
        watched.ask(name, 30)
    assert watched.acts == [("rolled_back", 1), ("refused", None)]
    assert "are as many as max_rollbacks allows" in watched.events[-1].words
    assert served.answering == 3


@pytest.mark.faults
@pytest.mark.parametrize("served", [-1], indirect=True)
def test_two_bad_versions_do_not_toggle_and_a_restart_forgets_nothing(
    served: Sandbox, factor: Callable[[float], Artifact], place: Workspace
) -> None:
    publish_past_gate(served, factor(-2))
    watched = Watched(served, place)
    watched.ask("bad")
    watched.settle()
    for name in ("again", "still"):
        watched.ask(name)
    assert watched.acts == [("rolled_back", 1), ("refused", None)]
    assert watched.events[-1].words == (
        "Version 1 does badly, and there is no version to go back to that did not (2 did): publish a good one."
    )
    another = Watched(served, place)
    another.ask("restarted")
    assert another.acts == [("refused", None)]
    assert served.answering == 1
    served.rollback(to=2, by="anna")
    by_hand = Watched(served, place)
    by_hand.ask("anna")
    assert [event.words for event in by_hand.events] == [
        "Version 2 was rolled back from before, and somebody brought it back."
    ]


@pytest.mark.faults
def test_what_goes_wrong_in_a_reaction_is_told_once_and_the_watch_goes_on(
    served: Sandbox, factor: Callable[[float], Artifact], place: Workspace
) -> None:
    kept = place.models / "m" / "rollbacks.json"
    kept.write_text("{", encoding="utf-8")
    publish_past_gate(served, factor(-1))
    watched = Watched(served, place)
    watched.ask("bad")
    watched.settle()
    watched.ask("again")
    assert watched.acts == [("failed", None)]
    assert str(kept) in watched.events[0].words
    assert served.answering == 2
    kept.unlink()
    watched.settle()
    watched.ask("mended")
    assert watched.acts == [("failed", None), ("rolled_back", 1)]


@pytest.mark.faults
def test_an_old_version_is_not_to_blame_and_a_trial_is_ended_first(
    served: Sandbox, factor: Callable[[float], Artifact], place: Workspace
) -> None:
    watched = Watched(served, place, blame_seconds=50)
    served.rollout(factor(-1), percent=90, pairs_percent=0)
    watched.ask("tried", 40)
    assert watched.acts == [("rolled_back", 1)]
    assert served.comparison().state == "aborted"
    publish_past_gate(served, factor(-2))
    watched.settle()  # the version has answered for longer than it is to blame
    watched.ask("old")
    assert watched.acts == [("rolled_back", 1), ("refused", None)]
    assert watched.events[-1].words.startswith("Version 3 has answered for more than 50 s")


@pytest.mark.faults
def test_it_runs_until_it_is_stopped_whatever_hears_of_it(served: Sandbox, place: Workspace) -> None:
    class Deaf:
        def send(self, event: AlarmEvent) -> None:
            raise RuntimeError(event.rule)

        def close(self) -> None:
            """Do nothing."""

    monitor = Monitor(
        served, rules=[Rule(metric="p95_ms", above=0)], targets=[Deaf()],
        settings=MonitorSettings(seconds=0.01, min_requests=5),
    )  # fmt: skip
    loop, stop, looks = Loop(served, monitor, workspace=place), threading.Event(), itertools.count()

    def hear(report: LoopReport) -> None:
        if next(looks) == 0:
            raise RuntimeError("deaf")
        if report.events:
            stop.set()

    thread = threading.Thread(target=loop.run, args=(stop, hear))
    thread.start()
    for _ in range(10):
        served.client.predict(np.array([[0.2, 0.8]], np.float32))
    thread.join(60)
    loop.close()
    assert not thread.is_alive()
    with pytest.raises(BadInputError, match="server must be a server that was started or attached to"):
        Loop(served.url, monitor, workspace=place)
    with pytest.raises(BadInputError, match="dataset must be given with the other"):
        Loop(served, monitor, hard="mine", workspace=place)
    with pytest.raises(BadInputError, match="server must serve a model of the store"):
        Loop(served, monitor, workspace=Workspace.at(place.home / "another"))


@pytest.mark.faults
def test_the_command_says_a_line_a_reaction(
    served: Sandbox, factor: Callable[[float], Artifact], place: Workspace
) -> None:
    with subprocess.Popen(
        [
            sys.executable, "-m", "workbench", "monitor", "m", "--react", "--seconds", "0.05", "--min-labels", "10",
            "--rule", "accuracy below 0.7", "--home", str(place.home),
        ],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        assert "Watching m" in process.stderr.readline()
        publish_past_gate(served, factor(-1))
        over = threading.Event()
        with Unceasing([lambda: ask_until(over, served)]):
            assert "RAISED  accuracy is" in process.stdout.readline()
            assert "rolled back  Version 1 answers again" in process.stdout.readline()
            over.set()
        process.send_signal(signal.SIGINT)
        process.communicate()
        assert process.returncode == 0
    assert served.answering == 1


def ask_until(over: threading.Event, server: Sandbox) -> None:
    """Ask and label; no request may fail."""
    for each in itertools.count():
        if over.is_set():
            return
        name = f"asked-{each}"
        server.client.predict(np.array([[0.2, 0.8]], np.float32), headers={"x-request-id": name})
        label(server, {name: 1})


@pytest.mark.thorough
def test_drift_is_answered_by_one_retraining_through_the_gate(digits: Dataset, workspace: Workspace) -> None:
    trained = workbench.train(digits, architecture="mlp", epochs=4, workspace=workspace)
    model = workbench.convert(trained, "onnx", dataset=digits, workspace=workspace)
    store = Store.of(workspace)
    verdict = Gate().check(workbench.evaluate(model, digits, workspace=workspace))
    store.label("drifted", "stable", store.publish(model, "drifted", verdict=verdict), bless=None)
    kept = hard_set("drifted", workspace=workspace)
    images, labels = 1 - digits.floats("train", slice(0, 100)), digits.labels("train", slice(0, 100))
    for image, truth in zip(images[:80], labels[:80], strict=True):
        kept.add(image, int(truth))
    reference = Reference.of(model, digits, workspace=workspace)
    with serve(model, "drifted", workspace=workspace, request_log=NOTES, workers=1) as server:
        monitor = Monitor(
            server, reference, [Rule(metric="drift", above=0)], [], drift=DriftSettings(stride=50, window_seconds=1e5)
        )
        loop = Loop(
            server, monitor, ReactionSettings(settle_seconds=0, canary_percent=100), hard=kept, dataset=digits,
            gate=Gate(max_drop=0.05), budget=RetrainBudget(max_runs=1, min_new_samples=1), workspace=workspace,
        )  # fmt: skip
        events: list[LoopEvent] = []

        def look(enough: Callable[[LoopReport], bool]) -> None:
            def looked() -> bool:
                server.client.predict(1 - digits.floats("test", slice(0, 50)))
                report = loop.step()
                events.extend(report.events)
                return enough(report)

            until(looked, 60)

        look(lambda report: report.retraining)
        assert loop.wait(300)
        look(lambda report: not report.retraining)
        assert [event.act for event in events] == ["retraining", "published"], events
        assert events[-1].version == server.answering == 2
        for image, truth in zip(images[80:82], labels[80:82], strict=True):  # each time there is more to learn
            kept.add(image, int(truth))
            look(lambda report: report.retraining)
            assert loop.wait(60)
            look(lambda report: not report.retraining)
        assert [event.act for event in events] == ["retraining", "published", "refused"]
        assert "must happen at most 1 times in 86400 s" in events[-1].words
    last = [change for change in store.history("drifted") if change.action == "publish"][-1]
    assert (last.version, last.gate, last.who) == (2, "passed", "loop")
    assert len(json.loads((kept.folder / "retraining" / "model-drifted.json").read_text())["runs"]) == 1
