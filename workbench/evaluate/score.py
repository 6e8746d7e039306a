"""The verb `evaluate`: an artifact's answers on one split of a dataset, scored."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from workbench.core.artifact import Artifact
from workbench.core.records import Evaluation
from workbench.evaluate.answers import FILE, Answers
from workbench.evaluate.metrics import as_probabilities, evaluation_of
from workbench.evaluate.runtimes.base import open_runtime, predict_all, require_shape, runtimes

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from workbench.core.events import Event
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset
    from workbench.datasets.dataset import Split
    from workbench.jobs.stage import StageContext

STAGE = "workbench.evaluate.score:run"


def evaluate(
    artifact: Artifact,
    dataset: Dataset | str | os.PathLike[str],
    *,
    split: Split = "test",
    workspace: Workspace | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Evaluation:
    """Measure how an artifact answers on a dataset.

    ONNX and TFLite are answered in this process; tf_keras and SavedModel need TensorFlow and are answered by a job,
    whose result is kept and given back at once the next time.

    Args:
        artifact: What to measure.
        dataset: A dataset or the name of one.
        split: `test` or `train`.
        workspace: Where the job runs; None is the default one.
        on_event: Called with each event of the job.

    Raises:
        WorkspaceError: The model file is missing, truncated or changed.
        BadInputError: The model does not fit the dataset.
    """
    from workbench.datasets import load_dataset

    data = load_dataset(dataset, workspace=workspace)
    if runtimes.get(artifact.format).in_process:
        return measure(artifact, data, split)
    from workbench.jobs import finish, submit

    artifact.verify()
    job = submit(STAGE, asked(artifact, data, split), kind="evaluate", workspace=workspace)
    finish(job, on_event=on_event)
    return Evaluation.from_json(job.value())


def asked(artifact: Artifact, data: Dataset, split: Split) -> dict[str, Any]:
    """Return the settings of the stage for a question; the same question has the same."""
    return {
        "artifact": str(artifact.folder), "sha256": artifact.sha256, "dataset": data.spec, "split": split,
        "keeps": FILE,
    }  # fmt: skip


def run(context: StageContext) -> Evaluation:
    """Evaluate in a job; each sample's answer is kept beside the scores."""
    from workbench.datasets import Dataset

    data = Dataset.open_spec(context.settings["dataset"], context.workspace)
    artifact = Artifact.load(context.settings["artifact"]).verify(context.settings["sha256"])
    evaluation, answers = answered(artifact, data, context.settings["split"], progress=context.progress)
    answers.write(context.result)
    return evaluation


def measure(
    artifact: Artifact,
    data: Dataset,
    split: Split,
    progress: Callable[[int, int, str], None] | None = None,
) -> Evaluation:
    """Answer a whole split in this process and score it.

    Args:
        artifact: What to measure.
        data: An open dataset.
        split: `test` or `train`.
        progress: Called with samples done, samples in all and a label.
    """
    return answered(artifact, data, split, progress)[0]


def answered(
    artifact: Artifact,
    data: Dataset,
    split: Split,
    progress: Callable[[int, int, str], None] | None = None,
) -> tuple[Evaluation, Answers]:
    """Do what `measure` does, and return each sample's answer too."""
    labels = data.labels(split)
    with open_runtime(artifact) as runtime:
        require_shape(runtime, data.shape)
        outputs = predict_all(runtime, partial(data.floats, split), len(labels), progress=progress)
    evaluation = evaluation_of(
        outputs,
        labels,
        classes=data.classes,
        model=artifact.sha256,
        dataset=data.name,
        checksum=data.checksum,
        split=split,
    )
    return evaluation, Answers.of(as_probabilities(outputs))
