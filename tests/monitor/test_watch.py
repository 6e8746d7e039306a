"""A monitor reads what a server noted, calls whom it should, and stays where others fall."""

from __future__ import annotations

import fcntl
import threading
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pytest

from tests.monitor.streams import digits
from workbench.core.artifact import Artifact
from workbench.core.records import LoggedRequest, MonitorReport
from workbench.core.workspace import Workspace
from workbench.jobs.state import LEASE
from workbench.monitor.alarms import CallbackTarget, Rule
from workbench.monitor.drift import DriftSettings
from workbench.monitor.labels import label
from workbench.monitor.live_accuracy import live_accuracy
from workbench.monitor.settings import MonitorSettings
from workbench.monitor.watch import Monitor
from workbench.serve.request_log.files import Files
from workbench.serve.request_log.settings import RequestLogSettings
from workbench.serve.sandbox import serve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from workbench.core.records import AlarmEvent
    from workbench.serve.handle import Sandbox

START = 1e9
WAIT = 20


class Log:
    """The request log of a server that is played."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.time = START
        self._files = Files(folder / "requests", 0, RequestLogSettings())

    def write(self, requests: Sequence[LoggedRequest]) -> None:
        self._files.append([orjson.dumps(request.to_json()) + b"\n" for request in requests])
        self.time = requests[-1].time

    def ask(self, count: int, *, code: str = "OK", seconds: float = 0.01, api: str = "REST") -> list[str]:
        """Note requests, ten a second, and return their names."""
        made = [
            LoggedRequest(
                id=f"{self.time + at}-{code}", time=self.time + (at + 1) / 10, model="model", version=1, api=api,
                seconds=seconds, run_seconds=seconds, examples=1, code=code, predictions=(3,) if code == "OK" else (),
            )
            for at in range(count)
        ]  # fmt: skip
        self.write(made)
        return [each.id for each in made]


class Heard:
    """A target that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[AlarmEvent] = []

    def send(self, event: AlarmEvent) -> None:
        self.events.append(event)

    def close(self) -> None:
        pass

    @property
    def story(self) -> list[tuple[str, str]]:
        return [(event.metric, event.state) for event in self.events]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def test_errors_raise_an_alarm_that_ends_when_they_do(log: Log) -> None:
    heard = Heard()
    monitor = Monitor(log.folder, rules=[Rule(metric="error_rate", above=0.05)], targets=[heard])
    assert monitor.check(START) == MonitorReport(time=START, requests=0)
    log.ask(50)
    assert monitor.check(log.time).alarms == ()
    log.ask(20, code="INTERNAL")
    report = monitor.check(log.time)
    assert report.alarms == ("error_rate above 0.05",)
    assert report.error_rate is not None
    assert (report.error_rate.successes, report.error_rate.total) == (20, 70)
    assert heard.events[0].words.endswith("20 of the last 70 requests failed.")
    log.ask(150)
    assert monitor.check(log.time).alarms  # one good look is not enough
    log.ask(150)
    assert monitor.check(log.time).alarms == ()
    assert heard.story == [("error_rate", "raised"), ("error_rate", "cleared")]


def test_a_few_errors_and_those_of_clients_raise_nothing(log: Log) -> None:
    monitor = Monitor(log.folder, targets=[])
    log.ask(30)
    log.ask(2, code="UNAVAILABLE")
    assert monitor.check(log.time).alarms == ()  # 6 % of 32 may well be 2 % of all
    log.ask(100, code="INVALID_ARGUMENT")
    log.ask(100, code="CANCELLED")
    assert monitor.check(log.time).alarms == ()


def test_a_slow_model_is_told_by_its_p95(log: Log) -> None:
    monitor = Monitor(log.folder, rules=[Rule(metric="p95_ms", above=50, for_windows=2)], targets=[])
    seen = []
    for seconds in (0.01, 0.2, 0.2, 0.01, 0.01, 0.01):
        log.ask(120, seconds=seconds)
        report = monitor.check(log.time)
        assert report.p95_ms == pytest.approx(seconds * 1000)
        seen.append(bool(report.alarms))
    assert seen == [False, False, True, True, False, False]


def test_what_no_client_saw_counts_for_nothing(log: Log) -> None:
    monitor = Monitor(log.folder, targets=[])
    log.ask(200, code="INTERNAL", api="RESTSHADOW")
    report = monitor.check(log.time)
    assert (report.requests, report.alarms) == (0, ())


def test_drift_is_told_in_the_words_of_its_report(log: Log) -> None:
    data, heard = digits(), Heard()
    monitor = Monitor(log.folder, data.reference, targets=[heard])
    rng = np.random.default_rng(1)
    log.write(data.drifted("").requests(rng.integers(0, 359, 300), start=START))
    report = monitor.check(log.time)
    assert report.drift is not None
    assert not report.drift.alarm
    assert report.facts["drift"] == 0
    log.write(data.drifted("rotated").requests(rng.integers(0, 359, 250), start=log.time))
    report = monitor.check(log.time)
    assert report.drift is not None
    assert report.alarms == ("drift above 0",)
    assert report.drift.words in heard.events[0].words
    assert "darker than the reference" in report.drift.words
    assert MonitorReport.from_json(report.to_json()) == report
    assert monitor.check(log.time + 1).drift is None  # nothing new
    for _ in range(3):  # the first window holds some that are rotated still
        log.write(data.drifted("").requests(rng.integers(0, 359, 250), start=log.time))
        monitor.check(log.time)
    assert heard.story == [("drift", "raised"), ("drift", "cleared")]


def test_a_window_in_the_middle_of_a_backlog_is_not_hidden(log: Log) -> None:
    data = digits()
    rng = np.random.default_rng(1)
    for name in ("", "inverted", ""):
        log.write(data.drifted(name).requests(rng.integers(0, 359, 250), start=log.time))
    report = Monitor(log.folder, data.reference, targets=[]).check(log.time)
    assert report.drift is not None
    assert report.drift.alarm


def test_a_window_that_waits_too_long_is_compared(log: Log) -> None:
    data = digits()
    monitor = Monitor(log.folder, data.reference, targets=[], drift=DriftSettings(window_seconds=60))
    log.write(data.drifted("inverted").requests(np.arange(80), start=START))
    assert monitor.check(log.time).drift is None
    assert monitor.check(log.time + 61).alarms == ("drift above 0",)


def test_accuracy_is_known_when_labels_come(log: Log) -> None:
    monitor = Monitor(log.folder, rules=[Rule(metric="accuracy", below=0.9)], targets=[])
    names = log.ask(200)
    assert monitor.check(log.time).accuracy is None
    label(log.folder, dict.fromkeys(names[:40], 3))
    assert monitor.check(log.time).accuracy is None  # too few
    label(log.folder, {**dict.fromkeys(names[40:95], 3), **dict.fromkeys(names[95:100], 8), "unknown": 1})
    report = monitor.check(log.time)
    assert report.accuracy is not None
    assert (report.accuracy.successes, report.accuracy.total) == (95, 100)
    assert report.accuracy.low < 0.95 < report.accuracy.high
    assert report.alarms == ()
    label(log.folder, dict.fromkeys(names[100:140], 8))
    report = monitor.check(log.time)
    assert report.alarms == ("accuracy below 0.9",)
    assert monitor.check(log.time).accuracy is None  # no news


def test_a_label_is_joined_to_its_request_whichever_came_first(log: Log) -> None:
    label(log.folder, {"late": (1, 2), "twice": 3})
    made = [
        LoggedRequest(
            id=name, time=1, model="m", version=1, seconds=1, run_seconds=1, examples=2, predictions=said, code=code
        )
        for name, said, code in [("late", (1, 1), "OK"), ("twice", (4,), "INTERNAL"), ("none", (5,), "OK")]
    ]
    found = live_accuracy(made, {"late": (1, 2), "twice": (4,)})
    assert found is not None
    assert (found.successes, found.total) == (1, 2)
    assert live_accuracy(made, {}) is None


def test_a_monitor_goes_on_where_another_ended(log: Log) -> None:
    first = Monitor(log.folder, targets=[])
    log.ask(30)
    assert first.check(log.time).requests == 30
    log.ask(7)
    assert Monitor(log.folder, targets=[], after=first.cursor).check(log.time).requests == 7
    assert Monitor(log.folder, targets=[]).check(log.time).requests == 37


def test_a_monitor_that_is_started_anew_goes_on_with_its_alarms(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    keep, rules = log.folder / "monitor.json", [Rule(metric="error_rate", above=0.05, clear_after=1)]
    log.ask(50, code="INTERNAL")
    assert [
        event.state for event in Monitor(log.folder, rules=rules, targets=[], keep=keep).check(log.time).events
    ] == ["raised"]
    log.ask(50, code="INTERNAL")
    again = Monitor(log.folder, rules=rules, targets=[], keep=keep).check(log.time)
    assert (again.requests, again.alarms, again.events) == (50, ("error_rate above 0.05",), ())
    log.ask(50)
    cleared = Monitor(log.folder, rules=rules, targets=[], keep=keep).check(log.time)
    assert [event.state for event in cleared.events] == ["cleared"]
    keep.write_text('{"raised": 3}', encoding="utf-8")
    anew = Monitor(log.folder, rules=rules, targets=[], keep=keep)
    assert "The monitor begins anew" in caplog.text
    assert anew.check(log.time).requests == 150
    keep.unlink()
    keep.mkdir()  # nothing can be kept there
    log.ask(20)
    assert anew.check(log.time).requests == 20
    assert "is not kept" in caplog.text


def test_after_a_reset_what_was_is_not_held_against_a_server(log: Log) -> None:
    monitor = Monitor(log.folder, rules=[Rule(metric="error_rate", above=0.05, clear_after=1)], targets=[])
    log.ask(50, code="INTERNAL")
    assert monitor.check(log.time).alarms
    monitor.reset()
    log.ask(20)
    assert monitor.check(log.time).alarms == ()


def test_a_server_that_is_gone_has_an_alarm_though_it_notes_nothing(log: Log) -> None:
    monitor = Monitor(log.folder, targets=[])
    with (log.folder / LEASE).open("w") as lease:
        fcntl.flock(lease, fcntl.LOCK_EX)
        assert monitor.check(START).alarms == ()
    report = monitor.check(START)
    assert report.alarms == ("error_rate above 0.05",)
    assert "does not answer" in report.events[0].words


def test_a_look_that_fails_and_a_target_that_raises_end_nothing(
    log: Log, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Heard):
        def send(self, event: AlarmEvent) -> None:
            raise RuntimeError(f"no bell for {event.rule}")

    heard, looks = Heard(), []
    monitor = Monitor(log.folder, targets=[Broken(), heard], settings=MonitorSettings(seconds=0.01))
    log.ask(50, code="INTERNAL")
    check = monitor.check

    def first_fails(now: float | None = None) -> MonitorReport:
        looks.append(now)
        if len(looks) == 1:
            raise OSError("the disk is away")
        return check(now)

    monkeypatch.setattr(monitor, "check", first_fails)
    stop = threading.Event()
    monitor.run(stop, lambda _: stop.set())
    assert len(looks) == 2
    assert heard.story == [("error_rate", "raised")]
    assert "the disk is away" in caplog.text
    assert "no bell" in caplog.text


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A server that takes the vectors (n, 2) that it is sent for scores, and notes its requests."""
    from onnx import TensorProto, helper

    folder = tmp_path_factory.mktemp("served")
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "same", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    artifact = Artifact.write(folder, file="model.onnx", name="same", format="onnx", numeric="float32")
    workspace = Workspace.at(folder / "home")
    with serve(artifact, "same", workspace=workspace, request_log=True, workers=1) as sandbox:
        yield sandbox


def test_a_real_server_is_watched_while_it_answers(served: Sandbox) -> None:
    reports: list[MonitorReport] = []
    enough, stop = threading.Event(), threading.Event()

    def take(report: MonitorReport) -> None:
        reports.append(report)
        if sum(each.requests for each in reports) >= 30:
            enough.set()

    monitor = Monitor(served, settings=MonitorSettings(seconds=0.05), targets=[CallbackTarget(print)])
    thread = threading.Thread(target=monitor.run, args=(stop, take))
    thread.start()
    for _ in range(30):
        served.client.predict(np.array([[0.2, 0.8]]))
    assert enough.wait(WAIT)
    stop.set()
    thread.join()
    monitor.close()
    assert sum(each.requests for each in reports) == 30
    (latest,) = [each.p95_ms for each in reports if each.p95_ms is not None][-1:]
    assert 0 < latest < 10_000


def test_who_stops_a_server_is_not_alarmed(served: Sandbox, tmp_path: Path) -> None:
    artifact = Artifact.load(served.folder.parents[2])
    for notes in (True, False):
        with serve(artifact, "same", workspace=Workspace.at(tmp_path / "home"), request_log=notes, workers=1) as server:
            monitor = Monitor(server, targets=[])
            assert monitor.check().alarms == ()
        report = monitor.check()
        assert (report.alarms, report.facts.get("error_rate")) == ((), None)


def test_a_server_that_is_known_by_its_url_is_watched_by_its_counters(served: Sandbox) -> None:
    monitor = Monitor(served.url, targets=[], model="same")
    monitor.check(1)
    for _ in range(25):
        served.client.predict(np.array([[0.2, 0.8]]))
    report = monitor.check(2)
    assert report.requests == 25
    assert report.error_rate is not None
    assert (report.error_rate.successes, report.error_rate.total) == (0, 25)
    assert report.p95_ms is not None
    assert monitor.check(3).facts == {}
    gone = Monitor("http://127.0.0.1:9", targets=[]).check()
    assert gone.alarms == ("error_rate above 0.05",)
    assert "does not answer" in gone.events[0].words
