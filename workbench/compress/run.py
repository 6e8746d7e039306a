"""The verb `compress` and the stage behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.compress.base import Method, methods
from workbench.core.artifact import Artifact

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from workbench.core.events import Event
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset
    from workbench.jobs.stage import StageContext

STAGE = "workbench.compress.run:run"


def compress(
    artifact: Artifact,
    method: Method | str,
    dataset: Dataset | str | os.PathLike[str],
    *,
    workspace: Workspace | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Artifact:
    """Compress a model in a job and return what was made; the same compression is not run twice.

    Args:
        artifact: What to compress; it stays as it is.
        method: A method with its settings, or the name of one with its defaults.
        dataset: What to fine-tune and compare on.
        workspace: Where the job runs; None is the default one.
        on_event: Called with each event: `batch` and `epoch` while fine-tuning, `progress`.

    Returns:
        The compressed artifact; `metrics` holds what was reached.

    Raises:
        BadInputError: The model cannot be compressed in this way.
        ParityError: A conversion that is part of it does not answer like its source.
        WorkspaceError: The model file is missing, truncated or changed.
    """
    from workbench.datasets import load_dataset
    from workbench.jobs import finish, submit

    chosen = methods.get(method)() if isinstance(method, str) else method
    artifact.verify()
    request = {
        "artifact": str(artifact.folder),
        "sha256": artifact.sha256,
        "dataset": load_dataset(dataset, workspace=workspace).spec,
        "method": chosen.name,
        "settings": chosen.model_dump(mode="json"),
    }
    job = submit(STAGE, request, kind="compress", workspace=workspace)
    finish(job, on_event=on_event)
    return Artifact.load(job.result)


def run(context: StageContext) -> dict[str, Any]:
    """Compress in a job; returns the folder of the artifact as `artifact`."""
    from workbench.datasets import Dataset

    method = methods.get(context.settings["method"]).parse(context.settings["settings"])
    artifact = Artifact.load(context.settings["artifact"]).verify(context.settings["sha256"])
    data = Dataset.open_spec(context.settings["dataset"], context.workspace)
    return {"artifact": str(method.apply(artifact, data, context).folder)}
