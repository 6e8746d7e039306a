"""The verb `sweep` and the stage behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.checks import require_artifact, require_flag
from workbench.core.errors import BadInputError, WorkspaceError
from workbench.core.workspace import Workspace, digest
from workbench.sweep.axes import TRAIN
from workbench.sweep.draft import Draft
from workbench.sweep.handle import Sweep
from workbench.sweep.settings import SweepSettings, default_workers, require_workers
from workbench.train.fit import train_settings

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from workbench.core.artifact import Artifact
    from workbench.core.events import Event
    from workbench.core.records import SweepPoint
    from workbench.datasets import Dataset
    from workbench.jobs import StageContext
    from workbench.sweep.driver import Driver
    from workbench.sweep.space import Space


def sweep(  # noqa: PLR0913 - what it is given, where it goes, who is told; the rest are declared settings
    space: Space,
    artifact: Artifact | None,
    data: Dataset | str | os.PathLike[str],
    *,
    name: str | None = None,
    workers: int | None = None,
    confirm: bool = False,
    on_point: Callable[[SweepPoint], object] | None = None,
    on_event: Callable[[Event], object] | None = None,
    workspace: Workspace | None = None,
    **settings: Any,
) -> Sweep:
    """Measure every point of a space, or those that Optuna proposes, and return the sweep.

    Each step of a chain is a job of the cluster; what points share is made once, and a point that was finished before
    is not made again, in whichever sweep that was. A sweep of the same name and question is gone on with. The process
    that calls it drives it; if it is killed, any process goes on with `attach_sweep(name).resume()`.

    Args:
        space: What to try.
        artifact: The parent, a `tf_keras` model; None where the space trains it.
        data: What to fine-tune and measure on.
        name: Of the sweep's folder; None is the data's name and the question's digest.
        workers: Jobs under way at once; None is one a core.
        confirm: Yes to a space of more than 1,000 points.
        on_point: Called in this thread with each point as it is finished: once when all but its latency is measured
            (`state` is `made`), once with it; a failed one once.
        on_event: Called with every event of the driving run: `point`, `progress` (with `seconds_left`), `note`.
        workspace: Where all is kept; None is the default one.
        **settings: Fields of `SweepSettings`: `search`, `sampler`, `trials`, `objectives`, `constraints`, `seeds`,
            `share_trajectory`, `runs`.

    Returns:
        The sweep: `points()`, `frontier()`, `best(…)`, `importance()`, `export(…)`; its state is `done`, or `paused`.

    Raises:
        BadInputError: A setting or axis breaks its rule, the space is empty or too large, the name is taken by
            another question, the data or the parent changed since the sweep began.
        JobCancelledError: Somebody cancelled it; what is finished stays.
        WorkspaceError: The disk refused it.
    """
    from workbench.datasets import load_dataset

    workspace = Workspace.of(workspace)
    require_flag("confirm", confirm)
    require_workers(workers)
    chosen = SweepSettings.parse(settings)
    dataset = load_dataset(data, workspace=workspace)
    asked = question(space, artifact, dataset, chosen)
    handle = Sweep.named(f"{dataset.name}-{digest(asked)[:8]}" if name is None else name, workspace)
    if handle.folder.exists:
        require_same(asked, handle)
    else:
        Draft(asked, space, chosen, workspace).require_size(confirm=confirm)
        handle.folder.begin(asked)
    return handle.resume(workers=workers, on_point=on_point, on_event=on_event)


def attach_sweep(name: str, workspace: Workspace | None = None) -> Sweep:
    """Return a sweep by its name, from any process; a search of trainings is one too.

    Raises:
        BadInputError: There is none.
    """
    workspace = Workspace.of(workspace)
    found = Sweep.attach(name, workspace)
    if "tuning" in found.folder.asked():
        from workbench.sweep.training_search import TrainingSearch

        return TrainingSearch.attach(name, workspace)
    return found


def question(space: Space, artifact: Artifact | None, data: Dataset, settings: SweepSettings) -> dict[str, Any]:
    """Return what is asked as plain JSON; equal questions are equal.

    Raises:
        BadInputError: There must be a parent and there is none, or there must not.
        WorkspaceError: The parent's file is missing, truncated or changed.
    """
    if not hasattr(space, "axes_of"):
        raise BadInputError.of("space", rule="must be a Space", got=space, hint="Space.from_json reads plain JSON")
    if artifact is None and space.train is None:
        raise BadInputError.of("artifact", rule="must be given where the space trains no parent", got=None,
                               hint="give one, or give the space train settings")  # fmt: skip
    if artifact is not None and space.train is not None:
        raise BadInputError.of("artifact", rule="must be None where the space trains the parent", got=artifact.name)
    if space.train is not None and not any(name.startswith(f"{TRAIN}.") for name in space.axes):
        train_settings(data, **space.train)  # what all points share is refused before the first
    parent = None
    if artifact is not None:
        require_artifact(artifact).verify()
        parent = {"folder": str(artifact.folder), "sha256": artifact.sha256}
    return {
        "space": space.to_json(),
        "parent": parent,
        "dataset": data.spec,
        "settings": settings.model_dump(mode="json"),
    }


def require_same(asked: dict[str, Any], handle: Sweep) -> None:
    """Refuse to go on with a sweep under another question.

    Raises:
        BadInputError: Data, parent, space or settings differ.
    """
    before = handle.folder.asked()
    if asked["dataset"]["checksum"] != before["dataset"]["checksum"]:
        raise BadInputError.of(
            "data", rule=f"must be what the sweep {handle.name} began with ({before['dataset']['checksum'][:12]}…)",
            got=f"{asked['dataset']['checksum'][:12]}…", hint="the data changed: give the sweep another name",
        )  # fmt: skip
    ours, theirs = asked["parent"] or {}, before["parent"] or {}
    if ours.get("sha256") != theirs.get("sha256"):
        raise BadInputError.of(
            "artifact", rule=f"must be the model that the sweep {handle.name} began with ({theirs.get('sha256')})",
            got=ours.get("sha256"), hint="the parent changed: give the sweep another name",
        )  # fmt: skip
    if (asked["space"], asked["settings"]) != (before["space"], before["settings"]):
        raise BadInputError.of(
            "name", rule="must not be taken by a sweep of another space or other settings", got=handle.name,
            hint="give it another name",
        )  # fmt: skip


def run(context: StageContext) -> dict[str, Any]:
    """Drive a sweep; settings `sweep` (its name), `workers`, `retry_failed`. Returns how it ended."""
    handle = Sweep.attach(context.settings["sweep"], context.workspace)
    state = handle.folder.drive(context.folder.name, lambda: _drive(handle, context))
    return {"state": state, "points": len(handle.points())}


def _drive(handle: Sweep, context: StageContext) -> str:
    from workbench.sweep.bench import Bench
    from workbench.sweep.driver import Driver

    settings = handle.settings
    estimate = handle.estimate(workers=context.settings["workers"])
    context.emit("note", text=estimate.text)
    bench = Bench(_same_data(handle), handle.parent(), context.workspace, settings.runs)
    driver = Driver(
        handle.folder, bench, context, workers=context.settings["workers"] or default_workers(),
        total=handle.total(), seconds=estimate.seconds, retry_failed=context.settings["retry_failed"],
    )  # fmt: skip
    if settings.search == "optuna":
        _search(handle, driver)
    else:
        driver.run(handle.plans())
    if driver.paused():
        return "paused"
    if sentence := handle.nothing_meets():
        context.emit("note", text=sentence)
    return "done"


def _search(handle: Sweep, driver: Driver) -> None:
    from workbench.sweep.plan import plans
    from workbench.sweep.point_proposer import PointProposer

    proposer = PointProposer.open(handle)
    space, base, seeds = handle.space, handle.base, handle.settings.seeds
    # Points that were told and are lost since; what they were proposed by is not proposed again.
    driver.run([plan for told in proposer.told() for plan in plans(space, base, [(told.chain, told.values)], seeds)])
    while proposer.left and not driver.paused():
        asked = [proposer.ask() for _ in range(min(driver.workers, proposer.left))]
        wanted = [(each, plans(space, base, [(each.chain, each.values)], seeds)) for each in asked]
        driver.run([plan for _, each in wanted for plan in each])
        for proposal, each in wanted:
            points = [driver.points[plan.key] for plan in each if plan.key in driver.points]
            if len(points) == len(each) and not any(point.state == "made" for point in points):
                proposer.tell(proposal, points)


def _same_data(handle: Sweep) -> Dataset:
    from workbench.datasets import content

    data = handle.data()
    found = content.Content.of(data).checksum()
    if found != data.checksum or found != handle.folder.asked()["dataset"]["checksum"]:
        raise WorkspaceError(
            f"{data.folder} must hold the data that the sweep {handle.name} began with "
            f"({data.checksum[:12]}…), got {found[:12]}…: it was changed; load the dataset again."
        )
    return data
