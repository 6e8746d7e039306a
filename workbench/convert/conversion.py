"""One conversion inside a running job: write the format, compare it with its source, then vouch for it."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.convert.base import Converter, converters
from workbench.convert.representative import Representative, notes_on, spread
from workbench.convert.source import load_source
from workbench.core.artifact import Artifact, content_sha256
from workbench.core.errors import BadInputError, WorkbenchError
from workbench.core.workspace import writing
from workbench.evaluate.inventory import inventory
from workbench.evaluate.parity import parity, require_parity
from workbench.evaluate.runtimes.base import open_runtime, predict_all, require_shape

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from workbench.convert.settings import ConvertSettings
    from workbench.core.records import Parity
    from workbench.datasets import Dataset
    from workbench.jobs.stage import StageContext

_LONGEST_REASON = 300
# Where it costs milliseconds.
_COUNTED = ("tflite", "onnx")


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
        BadInputError: The converter refused the model.
        ParityError: The converted model does not answer like its source.
    """
    converter = converter_for(artifact, settings)()
    target = context.result / converter.file
    context.progress(0, 2, f"writing {settings.format} {settings.numeric}")
    began = time.perf_counter()
    facts = _write(converter, artifact, settings, target, Representative.pick(representative or data, settings))
    seconds = time.perf_counter() - began
    for note in facts["notes"]:
        context.emit("note", text=note)
    context.progress(1, 2, "comparing with the source")
    # Nobody else knows of the file before it has passed: its manifest is written last.
    draft = Artifact(
        folder=context.result.absolute(),
        name=artifact.name,
        format=settings.format,
        numeric=settings.numeric,
        file=converter.file,
        sha256=content_sha256(target),
    )
    compared = require_parity(compare(artifact, draft, data, settings))
    made = Artifact.write(
        context.result,
        file=draft.file,
        name=draft.name,
        format=draft.format,
        numeric=draft.numeric,
        parent=artifact.sha256,
        settings={"dataset": data.spec, **settings.model_dump(mode="json"), **(extra or {})},
        metrics={"parity": compared.to_json(), "seconds": seconds, "layers": _layers(draft), **facts},
    )
    context.progress(2, 2, "converted")
    return made


def _layers(made: Artifact) -> dict[str, dict[str, Any]]:
    """Return elements, sparsity and distinct values of each kernel, by what the file calls it."""
    if made.format not in _COUNTED:
        return {}
    return {
        each.name: {"elements": each.elements, "sparsity": each.zeros / max(each.elements, 1), "unique": each.unique}
        for each in inventory(made).tensors
        if each.prunable
    }


def compare(source: Artifact, target: Artifact, data: Dataset, settings: ConvertSettings) -> Parity:
    """Answer the same samples with both models, each in its own runtime, and compare.

    Args:
        source: What was converted.
        target: What it became.
        data: Evenly spaced samples of its test split are taken, and of its training split where those are too few.
        settings: How many samples, and the tolerance.
    """
    samples = _samples(data, settings.parity_samples)
    outputs = []
    for artifact in (source, target):
        with open_runtime(artifact) as runtime:
            require_shape(runtime, data.shape)
            outputs.append(predict_all(runtime, samples.__getitem__, len(samples)))
    ours, theirs = outputs
    return parity(ours, theirs, source=source.label, target=target.label, tolerance=settings.tolerance)


def _samples(data: Dataset, wanted: int) -> NDArray[np.float32]:
    test = data.floats("test", spread(data.test_size, wanted))
    missing = wanted - len(test)
    return np.concatenate([test, data.floats("train", spread(data.train_size, missing))]) if missing else test


def _write(
    converter: Converter,
    artifact: Artifact,
    settings: ConvertSettings,
    target: Path,
    representative: Representative,
) -> dict[str, Any]:
    """Write the model and return what is worth noting: engine, notes, coverage of the representative dataset."""
    source = load_source(artifact)
    # An attempt that was killed may have left half of it.
    if target.is_dir():
        shutil.rmtree(target)
    target.unlink(missing_ok=True)
    try:
        calibrated = settings.numeric in converter.calibrated and not source.quantization_aware
        if calibrated:
            representative.require_shape(source.input_shape)
        with writing(target):
            facts: dict[str, Any] = {"notes": [], **converter.write(source, settings, target, representative)}
    except WorkbenchError:
        raise
    except Exception as error:
        # Converters raise whatever their engines do; the traceback is in the run's log.
        reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
        raise BadInputError.of(
            artifact.file, rule=f"must be convertible to {settings.format}/{settings.numeric}", got=reason
        ) from error
    if not calibrated:
        return facts
    coverage = representative.coverage()
    return {**facts, "representative": coverage, "notes": [*facts["notes"], *notes_on(coverage)]}


def converter_for(artifact: Artifact, settings: ConvertSettings) -> type[Converter]:
    """Return the unit that makes what was asked of this artifact.

    Raises:
        BadInputError: There is none.
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
            hint="convert the model that it was made from",
        )
    quantising = artifact.numeric == "float32" != settings.numeric
    if artifact.format == settings.format and not quantising:
        raise BadInputError.of(
            "artifact",
            rule=f"must be float32 to become another numeric type of {settings.format}",
            got=f"{artifact.label} for {settings.numeric}",
            hint="convert the model that it was made from",
        )
    return unit
