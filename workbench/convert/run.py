"""The verb `convert` and the stage behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.convert.base import converters
from workbench.convert.conversion import convert_here, converter_for
from workbench.convert.settings import ConvertSettings
from workbench.core.artifact import Artifact, Format, Numeric
from workbench.core.checks import require_artifact
from workbench.core.errors import BadInputError, JobFailedError
from workbench.evaluate.runtimes.base import require_sample_shape

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from workbench.core.events import Event
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset
    from workbench.jobs import Job
    from workbench.jobs.stage import StageContext

STAGE = "workbench.convert.run:run"
_CRASHED = "was killed by SIG"


def convert(
    artifact: Artifact,
    format: Format,  # noqa: A002 - what it is called everywhere
    *,
    numeric: Numeric = "float32",
    representative: Dataset | str | os.PathLike[str] | None = None,
    dataset: Dataset | str | os.PathLike[str] | None = None,
    workspace: Workspace | None = None,
    on_event: Callable[[Event], None] | None = None,
    **settings: Any,
) -> Artifact:
    """Convert a model in a job and return what was made; the same conversion is not run twice.

    Args:
        artifact: A `tf_keras`, `keras`, `h5` or `saved_model` artifact; a float32 `tflite` or `onnx` one to be
            quantised; or a `tflite` one to become a `c_array`. `workbench.routes(artifact)` lists what there is.
        format: `saved_model`, `tflite`, `onnx`, `keras` (Keras 3), `tf_keras`, `h5`, `packed` or `c_array`.
        numeric: `float32`; `tflite` also `float16`, `dynamic`, `int8`, `int16x8`, `int4`; `onnx` also `float16`,
            `dynamic`, `int8`.
        representative: Dataset whose training samples set the int8 ranges; None is `dataset`.
        dataset: Dataset on whose test samples the outputs are compared; None is the one the model was made with.
        workspace: Where the job runs; None is the default one.
        on_event: Called with each event of the job.
        **settings: Other fields of `ConvertSettings`, such as `max_abs`, `opset`, `tool` or `time_limit`.

    Returns:
        The artifact, its parity in `metrics["parity"]`.

    Raises:
        BadInputError: A setting breaks its rule, or this conversion does not exist.
        ParityError: The converted model does not answer like its source.
        JobFailedError: The converter crashed, or took more time or memory than it may.
        WorkspaceError: The model file is missing, truncated or changed.
    """
    from workbench.jobs import finish

    job = start_conversion(
        artifact,
        format,
        numeric=numeric,
        representative=representative,
        dataset=dataset,
        workspace=workspace,
        **settings,
    )
    try:
        finish(job, on_event=on_event)
    except JobFailedError as error:
        raise _explained(error) from None
    return Artifact.load(job.result)


def start_conversion(
    artifact: Artifact,
    format: Format,  # noqa: A002 - as in `convert`
    *,
    numeric: Numeric = "float32",
    representative: Dataset | str | os.PathLike[str] | None = None,
    dataset: Dataset | str | os.PathLike[str] | None = None,
    workspace: Workspace | None = None,
    **settings: Any,
) -> Job:
    """Begin what `convert` does and return its job, whose result folder will hold the artifact.

    Raises:
        BadInputError: A setting breaks its rule, or this conversion does not exist.
        WorkspaceError: The model file is missing, truncated or changed.
    """
    from workbench.datasets import load_dataset
    from workbench.jobs import submit

    require_artifact(artifact)
    asked = ConvertSettings(format=format, numeric=numeric, **settings)
    if numeric == "float32" and converters.get(format).keeps_numeric:
        asked = asked.replace(numeric=artifact.numeric)
    converter_for(artifact, asked)
    artifact.verify()
    data = load_dataset(dataset, workspace=workspace) if dataset is not None else None
    if data is not None and (taken := _taken_by(artifact)):
        require_sample_shape(data.shape, taken)
    spec = _made_with(artifact) if data is None else data.spec
    ranges = load_dataset(representative, workspace=workspace).spec if representative is not None else spec
    request = {
        "artifact": str(artifact.folder),
        "sha256": artifact.sha256,
        "dataset": spec,
        "representative": ranges,
        "settings": asked.question,
    }
    return submit(STAGE, request, kind="convert", workspace=workspace, limits=asked.limits)


def run(context: StageContext) -> dict[str, Any]:
    """Convert in a job; returns the folder of the artifact as `artifact`."""
    from workbench.datasets import Dataset

    artifact = convert_here(
        Artifact.load(context.settings["artifact"]).verify(context.settings["sha256"]),
        ConvertSettings.parse(context.settings["settings"]),
        Dataset.open_spec(context.settings["dataset"], context.workspace),
        context,
        representative=Dataset.open_spec(context.settings["representative"], context.workspace),
    )
    return {"artifact": str(artifact.folder)}


def _explained(error: JobFailedError) -> JobFailedError:
    """Add the next step to what is said of a converter that crashed."""
    said = str(error).removesuffix(".")
    return JobFailedError(f"{said}; try another tool, numeric type or format.") if _CRASHED in said else error


def _taken_by(artifact: Artifact) -> tuple[int, ...]:
    """Return the shape of one sample of an adopted model; nothing where its manifest does not tell it."""
    match artifact.metrics.get("inputs"):
        case [{"shape": [_, *axes]}] if all(isinstance(axis, int) for axis in axes):
            return tuple(axes)
    return ()


def _made_with(artifact: Artifact) -> dict[str, Any]:
    spec = artifact.settings.get("dataset")
    if not isinstance(spec, dict):
        raise BadInputError.of(
            "dataset", rule="must be given for a model that was not trained here", got=None,
            hint="pass the data whose samples the outputs are compared on",
        )  # fmt: skip
    return spec
