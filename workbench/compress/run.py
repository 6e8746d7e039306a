"""The verb `compress` and the stage behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.compress.base import methods
from workbench.compress.recipe import Recipe
from workbench.core.artifact import Artifact
from workbench.core.checks import require_artifact
from workbench.core.workspace import Workspace

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from workbench.compress.base import Method
    from workbench.core.events import Event
    from workbench.datasets import Dataset
    from workbench.jobs import Job
    from workbench.jobs.stage import StageContext

STAGE = "workbench.compress.run:run"


def compress(
    artifact: Artifact,
    method: Method | str | Recipe | Sequence[Method | str],
    dataset: Dataset | str | os.PathLike[str],
    *,
    workspace: Workspace | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Artifact:
    """Compress a model and return what was made; each step is a job, and the same step is not run twice.

    Args:
        artifact: What to compress; it stays as it is.
        method: A method with its settings, the name of one with its defaults, or several in order (`Recipe`).
        dataset: What to fine-tune and compare on.
        workspace: Where the jobs run; None is the default one.
        on_event: Called with each event: `batch` and `epoch` while fine-tuning, `progress`, `note`.

    Returns:
        The compressed artifact, of the last step where there are several; `metrics` holds what was reached.

    Raises:
        BadInputError: The model cannot be compressed in this way, or the order of the steps breaks a rule.
        ParityError: A conversion that is part of it does not answer like its source.
        WorkspaceError: The model file is missing, truncated or changed.
    """
    from workbench.datasets import load_dataset

    require_artifact(artifact)
    workspace = Workspace.of(workspace)
    recipe = Recipe.of(method)
    data = load_dataset(dataset, workspace=workspace)
    for number, step in enumerate(recipe, 1):
        told = on_event if number == len(recipe) else _without_states(on_event)
        artifact = _step(artifact, step, data, workspace, told)
    return artifact


def start_compression(
    artifact: Artifact, method: Method, dataset: Dataset, *, workspace: Workspace | None = None
) -> Job:
    """Begin one step and return its job, whose result folder will hold the artifact.

    Raises:
        WorkspaceError: The model file is missing, truncated or changed.
    """
    from workbench.jobs import submit

    artifact.verify()
    request = {
        "artifact": str(artifact.folder),
        "sha256": artifact.sha256,
        "dataset": dataset.spec,
        "method": method.name,
        "settings": method.model_dump(mode="json"),
    }
    return submit(STAGE, request, kind="compress", workspace=workspace)


def run(context: StageContext) -> dict[str, Any]:
    """Compress in a job; returns the folder of the artifact as `artifact`."""
    from workbench.datasets import Dataset

    method = methods.get(context.settings["method"]).parse(context.settings["settings"])
    artifact = Artifact.load(context.settings["artifact"]).verify(context.settings["sha256"])
    data = Dataset.open_spec(context.settings["dataset"], context.workspace)
    return {"artifact": str(method.apply(artifact, data, context).folder)}


def _step(
    artifact: Artifact,
    method: Method,
    data: Dataset,
    workspace: Workspace | None,
    on_event: Callable[[Event], None] | None,
) -> Artifact:
    from workbench.jobs import finish

    job = start_compression(artifact, method, data, workspace=workspace)
    finish(job, on_event=on_event)
    return Artifact.load(job.result)


def _without_states(on_event: Callable[[Event], None] | None) -> Callable[[Event], None] | None:
    # That one step is done must not look as if the whole recipe were.
    if on_event is None:
        return None
    return lambda event: on_event(event) if event.type != "state" else None
