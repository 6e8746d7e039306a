"""How long what is left will take: from what earlier runs of this workspace took, or a guess that says so."""

from __future__ import annotations

import math
from collections import defaultdict
from functools import lru_cache
from statistics import median
from typing import TYPE_CHECKING, Any

from workbench.core.artifact import MANIFEST
from workbench.core.errors import WorkbenchError
from workbench.core.records import Estimate
from workbench.core.workspace import read_json
from workbench.jobs import jobs
from workbench.sweep.graph import Node, graph
from workbench.sweep.waiting import events_of, seconds_of

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.workspace import Workspace
    from workbench.jobs import Job
    from workbench.sweep.results import Results

# Guesses where nothing was measured: starting up, then the docs' CNN on a core of 2020.
_START_S, _SAMPLE_S, _CONVERSION_S = 2.0, 150e-6, 4.0
_CALL_S, _MEASURE_S, _POINT_S = 0.5e-3, 0.5, 10.0
_RUNS_LOOKED_AT = 300


def estimate(sweep: Results, workers: int) -> Estimate:
    """Estimate what a sweep has left.

    The pieces that no finished point needs are priced by kind of stage: a training or fine-tuning by the median of
    seconds per sample and epoch of earlier ones, a conversion by the median of seconds. What is trained is shared
    among the workers, but never shorter than the longest chain of pieces; latencies are timed one after the other.

    Args:
        sweep: The sweep; a search by Optuna is priced by trials and what its finished points took.
        workers: Pieces under way at once.
    """
    finished = sweep.folder.points()
    if sweep.settings.search == "optuna":
        return _of_search(sweep, workers)
    plans = [plan for plan in sweep.plans() if plan.key not in finished]
    nodes = [node for node in graph(plans) if node.kind != "snapshot"]
    prices = _Prices(sweep.workspace, sweep.data().train_size)
    costs = {id(node): prices.of(node) for node in nodes}
    longest = max((sum(costs.get(id(each), 0.0) for each in node.path()) for node in nodes), default=0.0)
    timing = len(plans) * (sweep.settings.runs * _CALL_S + _MEASURE_S)
    seconds = max(sum(costs.values()) / workers, longest) + timing
    return _said(len(plans), len(nodes), seconds, measured=not prices.guessed)


def guess_of_many(points: int) -> str:
    """Return how long so many points may take, as words; nothing is looked up."""
    return f"about {_duration(points * _POINT_S)} (a guess of {_POINT_S:g} s a point)"


class _Prices:
    """What pieces cost in this workspace; `guessed` says that one was not found there."""

    def __init__(self, workspace: Workspace, samples: int) -> None:
        self._known = history(workspace)
        self._samples = samples
        self.guessed = False

    def of(self, node: Node) -> float:
        """Return the seconds of one piece."""
        kind, units = self._kind(node), self._units(node)
        if rates := self._known.get(kind):
            return median(rates) * units
        self.guessed = True
        return _CONVERSION_S if units == 1 else _START_S + units * _SAMPLE_S

    def _units(self, node: Node) -> float:
        epochs = _epochs(node.plan.train or {}, self._samples) if node.kind == "train" else 1.0
        if node.trains and node.step is not None:
            epochs = _epochs(node.step.model_dump(), self._samples)
        return epochs * self._samples if node.trains else 1.0

    def _kind(self, node: Node) -> str:
        if node.kind == "trajectory":
            return "trajectory"
        if node.kind == "train":
            return f"train {(node.plan.train or {}).get('architecture')}"
        return f"compress {node.step.name}" if node.step is not None else f"convert {node.plan.deploy}"


def history(workspace: Workspace) -> dict[str, list[float]]:
    """Return what jobs of this workspace took, by kind: seconds a sample and epoch, or seconds for conversions."""
    known: dict[str, list[float]] = defaultdict(list)
    for job in jobs(workspace)[:_RUNS_LOOKED_AT]:
        if job.kind in ("train", "compress", "convert", "trajectory") and (found := _took(job.folder)) is not None:
            for name in found[0]:
                known[name].append(found[1])
    return known


@lru_cache(maxsize=4 * _RUNS_LOOKED_AT)
def _ended(folder: Path, changed: int) -> tuple[tuple[str, ...], float] | None:
    del changed
    from workbench.jobs import Job

    job = Job(folder)
    try:
        seconds = seconds_of(job)
        return (*_priced(job, seconds),) if seconds > 0 else None
    except (WorkbenchError, KeyError, TypeError, ValueError, ZeroDivisionError):
        return None  # a damaged run tells nothing


def _took(folder: Path) -> tuple[tuple[str, ...], float] | None:
    try:
        return _ended(folder, (folder / "events.jsonl").stat().st_mtime_ns)
    except OSError:
        return None


def _priced(job: Job, seconds: float) -> tuple[tuple[str, ...], float]:
    asked = job.settings
    if job.kind == "convert":
        return (f"convert {asked['settings']['format']}",), seconds
    if job.kind == "trajectory":
        passes = len(events_of(job, "epoch"))
        return ("trajectory",), seconds / (passes * _train_size(job, asked["dataset"]))
    manifest = read_json(job.result / MANIFEST)
    names = (
        ("train None", f"train {asked['architecture']}") if job.kind == "train" else (f"compress {asked['method']}",)
    )
    epochs = manifest["metrics"].get("epochs")
    if epochs is None:
        return names, seconds
    return names, seconds / float(int(epochs) * _train_size(job, asked["dataset"]))


def _train_size(job: Job, spec: dict[str, Any]) -> int:
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset

    return Dataset.open_spec(spec, Workspace.at(job.folder.parent.parent)).train_size


def _epochs(settings: dict[str, Any], samples: int) -> float:
    batch = settings.get("batch_size") or 64
    steps = math.ceil(samples / batch)
    return float(max(settings.get("epochs") or 5, math.ceil(settings.get("min_steps", 0) / steps)))


def _of_search(sweep: Results, workers: int) -> Estimate:
    finished = sweep.points()
    left = max(0, sweep.total() - len(finished))
    took = [point.seconds.total for point in finished if point.seconds.total > 0]
    each = median(took) if took else _POINT_S
    return _said(left, left, left * each / workers, measured=bool(took))


def _said(points: int, pieces: int, seconds: float, *, measured: bool) -> Estimate:
    how = "from earlier runs here" if measured else "a guess, for not all of it was run here before"
    text = f"{points} points, {pieces} jobs, about {_duration(seconds)} ({how})."
    return Estimate(
        points=points, jobs=pieces, seconds=round(seconds, 1), basis="measured" if measured else "guess", text=text
    )


def _duration(seconds: float) -> str:
    for unit, size in (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
