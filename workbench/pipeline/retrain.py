"""The way back: train anew on old data and a hard set, through the same gate, as often as a budget allows."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from pydantic import Field

from workbench.core.artifact import Artifact
from workbench.core.checks import require_artifact
from workbench.core.errors import BadInputError
from workbench.core.records import RetrainReport
from workbench.core.settings import Settings
from workbench.core.workspace import Workspace
from workbench.evaluate.gate import Gate
from workbench.evaluate.intervals import paired_drop
from workbench.pipeline.ancestry import road_to
from workbench.pipeline.budget import Ledger, RetrainBudget
from workbench.pipeline.hard_set import HardSet, hard_set
from workbench.pipeline.joining import Joined, join, require_fit, require_lesson
from workbench.pipeline.publishing import PublishSettings, publish_passed
from workbench.pipeline.settings import RoadSettings, default_gate
from workbench.pipeline.successor import Judged, followed, judged, make_like, served_now, verdict_on
from workbench.pipeline.training import train_until_passed

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from workbench.core.events import Event
    from workbench.datasets import Dataset
    from workbench.jobs import StageContext

STAGE = "workbench.pipeline.retrain:run_stage"


class RetrainSettings(Settings):
    """How the hard set is learnt, and what it must bring."""

    repeat: int = Field(5, ge=1, le=100, description="how often an epoch shows each hard sample")
    min_gain: float = Field(
        0.0, ge=0, le=1,
        description="least gain of right answers on the hard samples that were held back, 0.1 is 10 points",
    )  # fmt: skip
    labels: tuple[str, ...] = Field((), description="labels that mean the new version, such as canary")
    by: str = Field("retrain", max_length=128, description="who the store's history says did it")


def retrain(  # noqa: PLR0913 - what is trained, on what, within which bounds
    model: str | Artifact,
    dataset: str | os.PathLike[str] | Dataset,
    hard: HardSet | str,
    *,
    gate: Gate | None = None,
    road: RoadSettings | None = None,
    settings: RetrainSettings | None = None,
    budget: RetrainBudget | None = None,
    workspace: Workspace | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> RetrainReport:
    """Train a model anew on old data and a hard set, and publish it if it passes.

    The new one is made as the old one was (architecture, recipe, pruning, format), is judged on the old test split
    against the old one, so that it forgets no more than the gate's `max_drop`, and on a fifth of the hard set that
    it has not seen. What fails is not published.

    Args:
        model: Name of a model in the store, whose stable version (else the newest) is to be followed, and under which
            the new one is published; or an artifact, and nothing is published.
        dataset: The old data: a name, path or `Dataset`.
        hard: A hard set or its name.
        gate: What must hold; defaults to what the dataset declares. Without a `max_drop` it has the default one.
        road: How to train; None is as the old model was, as far as the workspace knows.
        settings: How the hard set is learnt, and what it must bring.
        budget: How often; it is spent when training begins, and lies in a file beside the hard set.
        workspace: Where everything is kept; None is the default one.
        on_event: Called with every event: `step`, `progress`, `note`.

    Returns:
        The report; its `verdict` says whether it passed, `published` under which version it is in the store.

    Raises:
        BadInputError: The budget is spent, the hard set holds too little that is new or does not fit, or there is no
            such model.
        ParityError: The converted model does not answer like the trained one.
        WorkbenchError: A step failed; the traceback is in the run folder.
    """
    from workbench.datasets import load_dataset
    from workbench.jobs import here

    place = Workspace.of(workspace)
    name = model if isinstance(model, str) else ""
    before = served_now(model, place) if isinstance(model, str) else require_artifact(model, "model")
    kept = hard_set(hard.name if isinstance(hard, HardSet) else hard, workspace=place)
    if isinstance(hard, HardSet) and hard != kept:
        raise BadInputError.of("hard", rule=f"must lie in the workspace {place.home}", got=str(hard.folder),
                               hint="give workspace= the one that it lies in")  # fmt: skip
    data = load_dataset(dataset, workspace=place)
    samples = kept.list()
    require_fit(data, kept, samples)
    require_lesson(data, kept)
    asked = {
        "artifact": str(before.folder),
        "sha256": before.sha256,
        "model": name,
        "dataset": data.spec,
        "hard_set": kept.name,
        "samples": [f"{each.id}:{each.label}" for each in samples],
        "gate": _gate(gate, data).model_dump(),
        "road": (road or road_to(before, place)).model_dump(),
        "settings": (settings or RetrainSettings()).model_dump(mode="json"),
    }
    with _ledger(kept, name).spending(budget or RetrainBudget(), samples) as left:
        job = here(STAGE, {**asked, "runs_left": left}, kind="retrain", workspace=place, on_event=on_event)
    return RetrainReport.from_json(job.value())


def run_stage(context: StageContext) -> RetrainReport:
    """One retraining as a stage; the settings are what `retrain` writes."""
    started = time.monotonic()
    asked = context.settings
    settings, road = RetrainSettings.parse(asked["settings"]), RoadSettings.parse(asked["road"])
    gate = Gate.parse(asked["gate"])
    data, joined = _joined(context, settings.repeat)
    source = followed(Artifact.load(asked["artifact"]), context.folder / "followed")
    before = judged(source, data, joined.measured, context.workspace)
    _say(context, "evaluate", f"the model before: {_words(before)}")
    after, attempts = _made(source, data, joined, road, gate, context)
    _say(context, "evaluate", f"the new model: {_words(after)}")
    verdict = verdict_on(after, before, gate, data, name=asked["hard_set"], min_gain=settings.min_gain)
    published = None
    if verdict.passed and asked["model"]:
        target = PublishSettings(name=asked["model"], labels=settings.labels, by=settings.by)
        why = f"{context.folder.name} with hard set {asked['hard_set']}"
        published, verdict = publish_passed(after.artifact, target, verdict, context.workspace, why=why)
    if published is not None:
        _say(context, "publish", f"version {published.version} of {published.name}")
    if not verdict.passed:
        context.emit("note", text=f"Nothing is published: {verdict.reasons}")
    drop, low, high = paired_drop(before.old.correct, after.old.correct)
    return RetrainReport(
        run=context.folder.name,
        model=asked["model"],
        dataset=data.name,
        hard_set=asked["hard_set"],
        before=source.sha256,
        after=after.artifact.sha256,
        artifact=str(after.artifact.folder),
        samples=len(asked["samples"]),
        trained_on=joined.trained_on,
        corrected=joined.corrected,
        attempts=attempts,
        old_before=before.old.accuracy,
        old_after=after.old.accuracy,
        drop=drop,
        drop_low=low,
        drop_high=high,
        hard_before=before.hard.accuracy if before.hard else None,
        hard_after=after.hard.accuracy if after.hard else None,
        verdict=verdict,
        published=published,
        runs_left=asked["runs_left"],
        seconds=round(time.monotonic() - started, 1),
    )


def _gate(gate: Gate | None, data: Dataset) -> Gate:
    usual = default_gate(data)
    if gate is None:
        return usual
    return gate if gate.max_drop is not None else gate.replace(max_drop=usual.max_drop)


def _ledger(hard: HardSet, name: str) -> Ledger:
    # Of artifacts each retraining makes another: they share one, or nothing would bound them.
    file = hard.folder / "retraining" / (f"model-{name}.json" if name else "artifacts.json")
    return Ledger(file, f"{name or 'artifacts'} on {hard.name}")


def _joined(context: StageContext, repeat: int) -> tuple[Dataset, Joined]:
    from workbench.datasets import Dataset

    data = Dataset.open_spec(context.settings["dataset"], context.workspace)
    hard = hard_set(context.settings["hard_set"], workspace=context.workspace)
    joined = join(data, hard, context.workspace, repeat=repeat)
    held = joined.measured.test_size if joined.measured is not None else 0
    words = f"{data.name} with {joined.trained_on} hard samples, {repeat} times each; {held} measure"
    _say(context, "data", words)
    return data, joined


def _made(
    source: Artifact, data: Dataset, joined: Joined, road: RoadSettings, gate: Gate, context: StageContext
) -> tuple[Judged, int]:
    _say(context, "train", f"recipe {road.recipe}")
    forward = partial(_forward, context)
    trained = train_until_passed(
        road, joined.data, gate, context.workspace, on_event=forward,
        note=lambda text: context.emit("note", text=text),
    )  # fmt: skip
    made = trained.artifact
    if trained.verdict.passed:  # else there is nothing to be made of it
        _say(context, "convert", f"to {source.label}")
        made = make_like(source, made, road, joined.data, context.workspace, on_event=forward)
    return judged(made, data, joined.measured, context.workspace), trained.attempts


def _words(model: Judged) -> str:
    hard = f", {model.hard.accuracy.value:.2%} on the hard samples" if model.hard else ""
    return f"{model.old.accuracy.value:.2%} right on the old test samples{hard}"


def _say(context: StageContext, step: str, text: str) -> None:
    context.emit("step", step=step, text=text)


def _forward(context: StageContext, event: Event) -> None:
    if event.type == "progress":
        context.emit("progress", **event.data)
