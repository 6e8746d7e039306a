"""Artifacts of small models in either Keras, and data that they take."""

from typing import Any

import numpy as np

from tests.jobs import format_models
from workbench.core.artifact import Artifact
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.jobs import submit


def made(model: str, library: str, workspace: Workspace, **more: Any) -> Artifact:
    """Return the artifact of a small model, made with a dataset that it takes."""
    asked = {"model": model, "library": library, "format": library, "dataset": samples(model, workspace).spec, **more}
    job = submit("format_models:make", asked, kind="probe", workspace=workspace)
    return Artifact.load(job.wait(120))


def samples(model: str, workspace: Workspace) -> Dataset:
    """Return noise that a model takes."""
    chance = np.random.default_rng(3)
    size = (120, *format_models.SHAPES[model])
    values = chance.integers(0, 20, size).astype(np.float32) if model == "tokens" else chance.random(size, np.float32)
    labels = np.arange(len(values)) % 4
    return Dataset.from_arrays(
        values[:80], labels[:80], values[80:], labels[80:], name=f"noise-{model}", kind="samples", workspace=workspace
    )
