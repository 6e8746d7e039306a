"""The drill: a server, clients, one fault, and what comes of it."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from workbench.core.errors import BadInputError
from workbench.core.records import DrillReport, Override
from workbench.monitor.drift import DriftSettings, Reference
from workbench.monitor.settings import MonitorSettings
from workbench.monitor.watch import Monitor
from workbench.pipeline.drill.faults.base import faults
from workbench.pipeline.drill.scene import Scene, Timeline
from workbench.pipeline.drill.settings import DrillSettings
from workbench.pipeline.drill.traffic import Traffic
from workbench.serve.request_log.settings import RequestLogSettings
from workbench.serve.sandbox import serve
from workbench.serve.store import Store
from workbench.serve.store.labels import STABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.core.artifact import Artifact
    from workbench.core.events import Event
    from workbench.core.records import AlarmEvent, DrillMoment
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset
    from workbench.jobs import StageContext
    from workbench.pipeline.drill.faults.base import Fault

STAGE = "workbench.pipeline.drill.verb:run_stage"

_LOOK_SECONDS = 0.1
_WORKERS = 2
_JUDGED = 50  # answers that tell what is usual
_LOOKS = MonitorSettings(seconds=_LOOK_SECONDS, recent_seconds=2.0, labelled=100, min_labels=50)


def drill(
    fault: str,
    *,
    settings: DrillSettings | None = None,
    workspace: Workspace | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> DrillReport:
    """Cause an incident on a server of its own, and watch how it is noticed and mended.

    Args:
        fault: What goes wrong, one of `faults.names()`: `bad_version`, `slow_model`, `drift`, …
        settings: Clients and patience; the usual ones where None.
        workspace: Where the model is trained and the run is kept; None is the default one. The drill's model store is
            its own, in the run's folder.
        on_event: Called with every event: `step` (text), `moment` (a `DrillMoment`'s fields).

    Raises:
        BadInputError: There is no such fault or dataset.
        ServingError: The server could not start.
    """
    from workbench.jobs import here

    faults.get(fault)
    if not isinstance(settings, DrillSettings | None):
        raise BadInputError.of("settings", rule="must be DrillSettings or None", got=settings)
    asked = {"fault": fault, "drill": (settings or DrillSettings()).model_dump()}
    job = here(STAGE, asked, kind="drill", workspace=workspace, on_event=on_event)
    return DrillReport.from_json(job.value())


def run_stage(context: StageContext) -> DrillReport:
    """The drill as a stage: settings `fault` and `drill`."""
    from workbench.convert.run import convert
    from workbench.datasets import load_dataset
    from workbench.train.fit import train

    asked = DrillSettings.parse(context.settings["drill"])
    fault = faults.get(context.settings["fault"])()
    data = load_dataset(asked.dataset, workspace=context.workspace)
    context.emit("step", step="train", text=f"the model that is served, on {data.name}")
    trained = train(data, recipe="docs", seed=asked.seed, workspace=context.workspace)
    artifact = convert(trained, "onnx", dataset=data, workspace=context.workspace)
    reference = Reference.of(artifact, data, workspace=context.workspace)
    with tempfile.TemporaryDirectory() as folder:
        return _Drill(fault, asked, context).play(artifact, data, reference, Path(folder))


class _Drill:
    """One drill from the server's start to its end."""

    def __init__(self, fault: Fault, asked: DrillSettings, context: StageContext) -> None:
        self._fault = fault
        self._asked = asked
        self._context = context
        self._workspace = context.workspace
        self._name = f"drill-{context.folder.name.rpartition('-')[2]}"
        self._clock = threading.Event()  # is never set: what waits for it waits for time alone

    def play(self, artifact: Artifact, data: Dataset, reference: Reference, folder: Path) -> DrillReport:
        """Serve, ask, let it happen, and take everything away again."""
        store = Store.of(self._workspace)
        override = Override(who="drill", why="the model that the drill begins with")
        try:
            store.label(self._name, STABLE, store.publish(artifact, self._name, override=override), bless=None)
            with serve(
                artifact, self._name, workspace=self._workspace, workers=_WORKERS,
                request_log=RequestLogSettings(flush_seconds=_LOOK_SECONDS),
            ) as server:  # fmt: skip
                samples, labels = data.floats("test"), np.asarray(data.y_test)
                with Traffic(server, samples, labels, rate=self._asked.rate) as traffic:
                    scene = Scene(server, artifact, data, traffic, Timeline(self._tell), self._workspace, folder)
                    self._happen(scene, reference)
                return self._report(scene)
        finally:
            shutil.rmtree(store.base / self._name, ignore_errors=True)

    def _happen(self, scene: Scene, reference: Reference) -> None:
        scene.timeline.add("begun", f"{self._asked.rate:g} requests a second are answered by {_WORKERS} workers.")
        self._clock.wait(self._asked.quiet_seconds)
        scene.traffic.wait(_JUDGED, self._asked.notice_seconds)
        scene.accuracy, scene.usual_ms = scene.traffic.accuracy, scene.traffic.slowest_ms
        monitor = Monitor(
            scene.server, reference, self._fault.rules(scene), [], settings=_LOOKS, drift=DriftSettings(stride=50)
        )
        monitor.check()
        try:
            scene.timeline.add("fault", self._fault.cause(scene))
            alarm = self._noticed(monitor)
            if alarm is None:
                return
            scene.timeline.add("alarm", alarm.words)
            if done := self._fault.react(scene, alarm):
                scene.timeline.add("reaction", done)
            if self._restored(scene):
                scene.timeline.add("restored", "Clients are served as before.")
        finally:
            self._fault.clear_up(scene)
            scene.timeline.add("ended", f"{scene.traffic.asked:,} requests, {scene.traffic.failed} without an answer.")

    def _noticed(self, monitor: Monitor) -> AlarmEvent | None:
        end = time.monotonic() + self._asked.notice_seconds
        while time.monotonic() < end:
            raised = [event for event in monitor.check().events if event.state == "raised"]
            if raised:
                return raised[0]
            self._clock.wait(_LOOK_SECONDS)
        return None

    def _restored(self, scene: Scene) -> bool:
        end = time.monotonic() + self._asked.restore_seconds
        while time.monotonic() < end:
            if self._fault.is_over(scene):
                return True
            self._clock.wait(_LOOK_SECONDS)
        return False

    def _tell(self, moment: DrillMoment) -> None:
        self._context.emit("moment", **moment.to_json())

    def _report(self, scene: Scene) -> DrillReport:
        timeline, traffic = scene.timeline, scene.traffic
        return DrillReport(
            fault=self._context.settings["fault"],
            title=self._fault.title,
            timeline=tuple(timeline.moments),
            noticed_seconds=timeline.between("fault", "alarm"),
            reaction_seconds=timeline.between("alarm", "reaction"),
            restored_seconds=timeline.between("fault", "restored"),
            requests=traffic.asked,
            failed=traffic.failed,
            lesson=self._fault.lesson,
        )
