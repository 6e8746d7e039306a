"""One conversion inside a running job: write the format, compare it with its source, then vouch for it."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.convert.base import Converter, converters
from workbench.convert.source import load_source
from workbench.core.artifact import Artifact, content_sha256
from workbench.core.errors import BadInputError, WorkbenchError
from workbench.core.workspace import writing
from workbench.evaluate.parity import parity, require_parity
from workbench.evaluate.runtimes.base import open_runtime, predict_all

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from workbench.convert.settings import ConvertSettings
    from workbench.core.records import Parity
    from workbench.datasets import Dataset
    from workbench.jobs.stage import StageContext

_LONGEST_REASON = 300


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
    _write(converter, artifact, settings, target, representative or data)
    seconds = time.perf_counter() - began
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
        metrics={"parity": compared.to_json(), "seconds": seconds},
    )
    context.progress(2, 2, "converted")
    return made


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
            outputs.append(predict_all(runtime, samples.__getitem__, len(samples)))
    ours, theirs = outputs
    return parity(ours, theirs, source=source.label, target=target.label, tolerance=settings.tolerance)


def _samples(data: Dataset, wanted: int) -> NDArray[np.float32]:
    test = data.floats("test", spread(data.test_size, wanted))
    missing = wanted - len(test)
    return np.concatenate([test, data.floats("train", spread(data.train_size, missing))]) if missing else test


def spread(total: int, wanted: int) -> NDArray[np.int64]:
    """Return indices of at most `wanted` samples, evenly spaced over all."""
    return np.unique(np.linspace(0, total - 1, min(wanted, total)).round().astype(np.int64))


def _write(converter: Converter, artifact: Artifact, settings: ConvertSettings, target: Path, data: Dataset) -> None:
    source = load_source(artifact)
    # An attempt that was killed may have left half of it.
    if target.is_dir():
        shutil.rmtree(target)
    target.unlink(missing_ok=True)
    try:
        with writing(target):
            converter.write(source, settings, target, _representative(data, settings.representative_samples))
    except WorkbenchError:
        raise
    except Exception as error:
        # Converters raise whatever their engines do; the traceback is in the run's log.
        reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
        raise BadInputError.of(
            artifact.file, rule=f"must be convertible to {settings.format}/{settings.numeric}", got=reason
        ) from error


def _representative(data: Dataset, wanted: int) -> Iterator[NDArray[np.float32]]:
    for index in spread(data.train_size, wanted):
        yield data.floats("train", slice(index, index + 1))


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
    return unit
