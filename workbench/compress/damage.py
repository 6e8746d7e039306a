"""What a compression did to which classes, samples and layers, for Keras models too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.checks import require_artifact
from workbench.core.errors import BadInputError
from workbench.evaluate.damage import damage_between

if TYPE_CHECKING:
    import os

    from workbench.core.artifact import Artifact
    from workbench.core.records.damage import Damage
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset

_SETTINGS = ("split", "worst", "layer_samples")


def damage(
    parent: Artifact,
    variant: Artifact,
    dataset: Dataset | str | os.PathLike[str],
    *,
    workspace: Workspace | None = None,
    **settings: Any,
) -> Damage:
    """Compare a variant with its parent, sample by sample and layer by layer.

    Models that need TensorFlow are compared as their ONNX conversions, which answer alike (each conversion is a job
    with a parity check, and is kept).

    Args:
        parent: What was compressed.
        variant: What became of it; the layers of a TFLite file are not seen, only its answers.
        dataset: What both answer.
        workspace: Where conversions run; None is the default one.
        **settings: `split`, `worst` and `layer_samples`, as `damage_between` has them.

    Raises:
        BadInputError: A model does not fit the dataset, or a setting is out of its range.
        ParityError: A conversion does not answer like its model.
        WorkspaceError: A model file is missing, truncated or changed.
    """
    from workbench.datasets import load_dataset

    data = load_dataset(dataset, workspace=workspace)
    if wrong := sorted(settings.keys() - _SETTINGS):
        raise BadInputError.of("damage", rule=f"must be given settings among {', '.join(_SETTINGS)}", got=wrong[0])
    given = require_artifact(parent, "parent"), require_artifact(variant, "variant")
    before, after = (_answering(each, data, workspace) for each in given)
    found = damage_between(before, after, data, **settings)
    return found.model_copy(update={"parent": parent.sha256, "variant": variant.sha256})


def _answering(artifact: Artifact, data: Dataset, workspace: Workspace | None) -> Artifact:
    from workbench.convert.run import convert
    from workbench.evaluate.runtimes.base import runtimes

    if runtimes.get(artifact.format).in_process:
        return artifact
    return convert(artifact, "onnx", dataset=data, workspace=workspace)
