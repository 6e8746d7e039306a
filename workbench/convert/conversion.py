"""One conversion inside a running job: write the format, compare it with its source, then vouch for it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from workbench.convert.base import Converter, converters
from workbench.convert.comparison import Comparison
from workbench.convert.edges import edges_here
from workbench.convert.finite import require_finite
from workbench.convert.representative import Representative, notes_on
from workbench.convert.source import Source, load_source
from workbench.convert.trial import BEST, Made, Task, Trial, best, chosen
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.core.records.formats import shortest
from workbench.core.workspace import writing
from workbench.evaluate.inventory import inventory
from workbench.evaluate.parity import require_parity

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.convert.settings import ConvertSettings
    from workbench.datasets import Dataset
    from workbench.jobs.stage import StageContext

# Where it costs milliseconds.
_COUNTED = ("tflite", "onnx")
_UNPACK = "unpack it first with workbench.unpack(artifact)"


def convert_here(
    artifact: Artifact,
    settings: ConvertSettings,
    data: Dataset,
    context: StageContext,
    *,
    representative: Dataset | None = None,
    extra: dict[str, Any] | None = None,
) -> Artifact:
    """Convert inside a job that is already running, into its result folder.

    Args:
        artifact: The source.
        settings: What to make of it.
        data: Its test samples are compared.
        context: The run.
        representative: Its training samples set int8 ranges; None is `data`.
        extra: More settings to note in the manifest.

    Raises:
        BadInputError: The converter refused the model, its weights are no numbers, or the data does not fit it.
        MissingExtraError: The program that is to do it is not installed.
        ParityError: The converted model does not answer like its source.
    """
    converter = converter_for(artifact, settings)()
    context.progress(0, 2, "answering with the source")
    source = load_source(artifact)
    require_finite(artifact)
    calibrated = settings.numeric in converter.calibrated and not source.quantization_aware
    picked = _picked(source, settings, representative or data, calibrated=calibrated)
    task = Task(converter, source, settings, picked, Comparison(artifact, data, settings), context.workspace)
    context.progress(1, 2, f"writing {settings.format} {settings.numeric}")
    trials = _tried(task, context)
    trial, made = best(trials)
    require_parity(made.parity)
    coverage = picked.coverage() if calibrated else None
    facts = _facts(made, trial, trials, coverage)
    for note in facts["notes"]:
        context.emit("note", text=note)
    _move(made.draft.path, context.result / converter.file)
    # Nobody else knows of the file before it has passed: its manifest is written last.
    done = Artifact.write(
        context.result,
        file=converter.file,
        name=artifact.name,
        format=settings.format,
        numeric=settings.numeric,
        parent=artifact.sha256,
        settings={"dataset": data.spec, **settings.question, **(extra or {})},
        metrics=facts,
    )
    context.progress(2, 2, "converted")
    return done


def _picked(source: Source, settings: ConvertSettings, data: Dataset, *, calibrated: bool) -> Representative:
    picked = Representative.pick(data, settings)
    if calibrated:
        picked.require_shape(source.input_shape)
    return picked


def _tried(task: Task, context: StageContext) -> list[Trial]:
    """Try the programs that were asked for in turn: all of them for `best`, else until one has written something."""
    settings = task.settings
    usable = task.converter.tools_for(task.source, settings)
    tools = chosen(usable, settings.tool, _edge(task.source.artifact, settings))
    place = context.folder / "tried"
    # An attempt that was killed may have left something.
    shutil.rmtree(place, ignore_errors=True)
    trials: list[Trial] = []
    for number, tool in enumerate(tools):
        folder = place / str(number)
        with writing(folder):
            folder.mkdir(parents=True)
        trials.append(task.attempt(tool, folder))
        if settings.tool != BEST and isinstance(trials[-1].outcome, Made):
            break
    return trials


def _facts(made: Made, trial: Trial, trials: list[Trial], coverage: dict[str, Any] | None) -> dict[str, Any]:
    """Return what the manifest says of a conversion."""
    notes = [*made.facts.get("notes", ()), *_passed_over(trial, trials), *(notes_on(coverage) if coverage else ())]
    return {
        "parity": made.parity.to_json(),
        "seconds": trial.seconds,
        "layers": _layers(made.draft),
        **made.facts,
        **({"representative": coverage} if coverage else {}),
        "notes": notes,
        "tool": trial.tool.name,
        "tried": [each.to_json() for each in trials],
    }


def _passed_over(kept: Trial, trials: list[Trial]) -> list[str]:
    """Say why the usual program's file is not the one that was kept."""
    usual = trials[0]
    if usual is kept:
        return []
    if isinstance(usual.outcome, Made):
        return [f"{kept.tool.name} was kept: it differs less from the source than {usual.tool.name}, or is smaller."]
    return [f"{kept.tool.name} was used, since {usual.tool.name} could not: {usual.outcome}"]


def _move(written: Path, target: Path) -> None:
    # An attempt that was killed may have left half of it.
    with writing(target):
        if target.is_dir():
            shutil.rmtree(target)
        target.unlink(missing_ok=True)
        written.rename(target)
        shutil.rmtree(written.parent.parent)


def _layers(made: Artifact) -> dict[str, dict[str, Any]]:
    """Return elements, sparsity and distinct values of each kernel, by what the file calls it."""
    if made.format not in _COUNTED:
        return {}
    return {
        each.name: {"elements": each.elements, "sparsity": each.zeros / max(each.elements, 1), "unique": each.unique}
        for each in inventory(made).tensors
        if each.prunable
    }


def converter_for(artifact: Artifact, settings: ConvertSettings) -> type[Converter]:
    """Return the unit that makes what was asked of this artifact.

    Raises:
        BadInputError: There is none, or it has no such program.
    """
    unit = converters.get(settings.format)
    if settings.numeric not in unit.numerics:
        raise BadInputError.of(
            "numeric",
            rule=f"must be one of {', '.join(unit.numerics)} for {settings.format}",
            got=settings.numeric,
        )
    if artifact.format not in unit.sources:
        raise BadInputError.of(
            "artifact",
            rule=f"must be one of {', '.join(unit.sources)} to become {settings.format}",
            got=artifact.label,
            hint=_UNPACK if artifact.format == "packed" else _way_out(artifact, settings),
        )
    quantising = artifact.numeric == "float32" != settings.numeric
    if artifact.format == settings.format and not quantising:
        raise BadInputError.of(
            "artifact",
            rule=f"must be float32 to become another numeric type of {settings.format}",
            got=f"{artifact.label} for {settings.numeric}",
            hint="convert the model that it was made from",
        )
    chosen(unit.tools(artifact.format, settings.numeric), settings.tool, _edge(artifact, settings))
    return unit


def _way_out(artifact: Artifact, settings: ConvertSettings) -> str:
    """Say what to do where no program leads straight there."""
    # A packed file becomes what was packed and nothing else, so no way leads on over it.
    edges = [edge for edge in edges_here() if not edge.source.startswith("packed/")]
    if shortest(edges, artifact.label, f"{settings.format}/{settings.numeric}") is None:
        return "convert the model that it was made from"
    return f"go over another format with workbench.convert_along(…, {settings.format!r})"


def _edge(artifact: Artifact, settings: ConvertSettings) -> str:
    return f"{artifact.label} to {settings.format}/{settings.numeric}"
