"""One command, the whole road: data, train, evaluate, compress, convert, serve, watch."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from workbench.core.artifact import cpu_name
from workbench.core.records import Published, RoadReport, Verdict
from workbench.pipeline.publishing import PublishSettings, chosen, publish_passed
from workbench.pipeline.serving import serve_and_ask
from workbench.pipeline.settings import RoadSettings, default_gate
from workbench.pipeline.training import Trained, train_until_passed
from workbench.pipeline.variants import DEPLOYED, Bench, make_variants

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.core.artifact import Artifact
    from workbench.core.events import Event
    from workbench.core.records import ServingStats, Variant
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset
    from workbench.evaluate.gate import Gate
    from workbench.jobs import StageContext

STAGE = "workbench.pipeline.road:run_stage"


def run(
    settings: RoadSettings | None = None,
    *,
    gate: Gate | None = None,
    publish: PublishSettings | None = None,
    workspace: Workspace | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> RoadReport:
    """Go the whole road in this process; training and conversions run as jobs.

    Args:
        settings: What to do; defaults to the docs' recipe on the default dataset.
        gate: What must hold; defaults to what the dataset declares.
        publish: Where one of the models goes if the gate passes; None publishes nothing.
        workspace: Where everything is kept; defaults to `WORKBENCH_HOME`.
        on_event: Called with every event: `step` (data, train, …; text), `progress` (done, total, label),
            `note` (text).

    Returns:
        The report; its `verdict` says whether the gate was passed.

    Raises:
        WorkbenchError: Bad input, or a step failed; the traceback is in the run folder.
    """
    from workbench.jobs import here

    asked: dict[str, Any] = {"road": (settings or RoadSettings()).model_dump()}
    if gate is not None:
        asked["gate"] = gate.model_dump()
    if publish is not None:
        asked["publish"] = publish.model_dump(mode="json")
    job = here(STAGE, asked, kind="road", workspace=workspace, on_event=on_event)
    return RoadReport.from_json(job.value())


def run_stage(context: StageContext) -> RoadReport:
    """The road as a stage: settings `road` and, optionally, `gate` and `publish`."""
    from workbench.evaluate.gate import Gate

    started = time.monotonic()
    settings = RoadSettings.parse(context.settings["road"])
    data = _data(settings, context)
    gate = Gate.parse(context.settings["gate"]) if "gate" in context.settings else default_gate(data)

    _step(context, "train", f"recipe {settings.recipe}")
    trained = train_until_passed(
        settings,
        data,
        gate,
        context.workspace,
        on_event=_forward(context),
        note=lambda text: context.emit("note", text=text),
    )
    _step(context, "evaluate", _sentence(trained))

    bench = Bench(data, trained.evaluation, gate, context.workspace)
    if trained.verdict.passed:
        artifacts, variants = make_variants(
            trained.artifact,
            settings.sparsity,
            settings.seed,
            bench,
            announce=partial(_step, context),
            on_event=_forward(context),
        )
        serving = _serve_passed(artifacts, variants, data, settings, context)
    else:
        artifacts, serving = [trained.artifact], []
        variants = [bench.measure("trained", trained.artifact)]
    published, verdict = _published(
        list(zip(artifacts, variants, strict=True)), _overall(trained, variants), context
    )  # fmt: skip
    return RoadReport(
        run=context.folder.name,
        dataset=data.name,
        recipe=trained.recipe,
        attempts=trained.attempts,
        curve=trained.curve,
        evaluation=trained.evaluation,
        variants=tuple(variants),
        serving=tuple(serving),
        verdict=verdict,
        published=published,
        seconds=round(time.monotonic() - started, 1),
        machine=cpu_name(),
    )


def _data(settings: RoadSettings, context: StageContext) -> Dataset:
    from workbench.datasets import default_dataset, load_dataset

    _step(context, "data", "the default dataset" if settings.dataset is None else settings.dataset)
    if settings.dataset is not None:
        data = load_dataset(settings.dataset, workspace=context.workspace, label=settings.label)
        note = data.note
    else:
        name, note = default_dataset(context.workspace)
        data = load_dataset(name, workspace=context.workspace, label=settings.label)
    if note:
        context.emit("note", text=note)
    return data


def _serve_passed(
    artifacts: list[Artifact],
    variants: list[Variant],
    data: Dataset,
    settings: RoadSettings,
    context: StageContext,
) -> list[ServingStats]:
    """Serve what the gate let through and our servers can run, one after the other."""
    stats = []
    for artifact, variant in zip(artifacts, variants, strict=True):
        if artifact.format in DEPLOYED and variant.verdict is not None and variant.verdict.passed:
            _step(context, "serve", f"{variant.name}: {min(settings.requests, data.test_size)} samples over HTTP")
            name = variant.name.replace(" ", "_")
            stats.append(serve_and_ask(artifact, name, data, settings.requests, context.workspace))
    if stats:
        requests, errors = sum(s.requests for s in stats), sum(s.errors for s in stats)
        _step(context, "watch", f"{requests} requests, {errors} errors")
    return stats


def _published(
    made: list[tuple[Artifact, Variant]], verdict: Verdict, context: StageContext
) -> tuple[Published | None, Verdict]:
    """Publish what is asked for, if everything passed: a pipeline that fails leaves the store as it was."""
    if "publish" not in context.settings or not verdict.passed:
        return None, verdict
    settings = PublishSettings.parse(context.settings["publish"])
    artifact, variant = chosen(settings.model, made)
    why = f"{variant.name} of {context.folder.name}"
    done, said = publish_passed(artifact, settings, variant.verdict or verdict, context.workspace, why=why)
    if done is None:
        return None, said
    means = f", {' and '.join(done.labels)} from now on" if done.labels else ""
    _step(context, "publish", f"{variant.name}: version {done.version} of {done.name}{means}")
    return done, verdict


def _overall(trained: Trained, variants: list[Variant]) -> Verdict:
    lines = list(trained.verdict.lines)
    for variant in variants:
        if variant.artifact != str(trained.artifact.folder) and variant.verdict and not variant.verdict.passed:
            lines.extend(
                line.model_copy(update={"reason": f"{variant.name}: {line.reason}"})
                for line in variant.verdict.lines
                if not line.passed
            )
    return Verdict(passed=all(line.passed for line in lines), lines=tuple(lines))


def _sentence(trained: Trained) -> str:
    accuracy = trained.evaluation.accuracy
    return (
        f"accuracy {accuracy.value:.2%} ({accuracy.low:.2%} to {accuracy.high:.2%}, {accuracy.total} samples), "
        f"gate {'passed' if trained.verdict.passed else 'failed'}"
    )


def _step(context: StageContext, step: str, text: str) -> None:
    context.emit("step", step=step, text=text)


def _forward(context: StageContext) -> Callable[[Event], None]:
    """Pass a job's own progress on as the road's; the job's folder keeps the rest."""

    def forward(event: Event) -> None:
        if event.type == "progress":
            context.emit("progress", **event.data)

    return forward
