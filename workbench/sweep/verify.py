"""Make a point again, from its parent on and without any cache, and say what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.errors import BadInputError
from workbench.core.records import SweepPoint, Verification
from workbench.evaluate.variant import measure_variant
from workbench.jobs import finish, submit
from workbench.jobs.request import Request
from workbench.sweep.bench import Bench, snapshot, take
from workbench.sweep.graph import Node, graph
from workbench.sweep.metrics import METRICS, shown, value_of
from workbench.sweep.plan import plan_of

if TYPE_CHECKING:
    from workbench.core.workspace import Workspace
    from workbench.jobs import Job
    from workbench.sweep.results import Results

_COMPARED = ("accuracy", "drop", "sparsity", "raw", "gzip", "packed")


def verify(sweep: Results, point: SweepPoint) -> Verification:
    """Run a point's steps again and compare its file, bytes and accuracy.

    Where it was pruned along a shared trajectory, that is run again too.

    Args:
        sweep: Where it belongs.
        point: A measured point.

    Raises:
        BadInputError: It failed, or is of another sweep.
        WorkbenchError: What a step raises.
    """
    if not isinstance(point, SweepPoint):
        raise BadInputError.of("point", rule="must be a point, or the label or key of one", got=point)
    if point.variant is None or point.key not in sweep.folder.points():
        raise BadInputError.of("point", rule="must be a measured point of this sweep", got=point.label)
    bench = Bench(sweep.data(), sweep.parent(), sweep.workspace, sweep.settings.runs)
    nodes = graph([plan_of(point)])
    for node in nodes:
        _again(bench, node)
    made = nodes[-1].artifact
    assert made is not None
    parent = nodes[0].artifact if nodes[0].kind == "train" else bench.parent
    assert parent is not None
    again = point.model_copy(
        update={"variant": measure_variant(point.label, made, bench.data, bench.baseline(parent), timed=False,
                                           workspace=sweep.workspace)}
    )  # fmt: skip
    found = tuple(
        f"{name}: {shown(point, name)} became {shown(again, name)}"
        for name in _COMPARED
        if name in METRICS and value_of(point, name) != value_of(again, name)
    )
    if made.sha256 != point.sha256:
        found = (f"file: sha256 {point.sha256[:12]}… became {made.sha256[:12]}…", *found)
    return Verification(key=point.key, equal=not found, differences=found, artifact=str(made.folder))


def _again(bench: Bench, node: Node) -> None:
    if node.kind == "snapshot":
        node.artifact = snapshot(node)
        return
    known = bench.begin(node, bench.parent if node.before is None else node.before.artifact)
    # A step on what was just made anew is a new question; the first one is not.
    job = known if node.before is not None else _fresh(known, bench.workspace)
    finish(job)
    take(node, job)


def _fresh(known: Job, workspace: Workspace) -> Job:
    request = Request.load(known.folder)
    return submit(request.stage, request.settings, kind=request.kind, workspace=workspace, reuse=False)
