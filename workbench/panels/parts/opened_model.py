"""A model with its data, opened for the sliders."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from workbench.compress.preview.settings import PreviewSettings
from workbench.core.artifact import Artifact
from workbench.core.errors import WorkbenchError
from workbench.datasets import Dataset, default_dataset
from workbench.panels.parts.chosen_data import chosen_by, open_chosen
from workbench.panels.parts.known_points import KnownPoint, points_of_sweeps
from workbench.panels.parts.tuned_points import TunedPoint, kept_points

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workbench.compress.preview import Preview
    from workbench.core.records import PreviewAnswer
    from workbench.core.workspace import Workspace

_FIRST = (PreviewSettings(sparsity=0.5), PreviewSettings(clusters=16), PreviewSettings(weight_bits=8))


class OpenedModel(NamedTuple):
    """What the sliders move.

    Attributes:
        folder: Of the model.
        artifact: The model.
        data: What it answers.
        preview: The open slider.
        itself: How the model answers and what it weighs as it is.
        swept: What sweeps have measured of it.
        tuned: What was made of it with the sliders, on this page or an earlier one.
    """

    folder: str
    artifact: Artifact
    data: Dataset
    preview: Preview
    itself: PreviewAnswer
    swept: tuple[KnownPoint, ...]
    tuned: tuple[TunedPoint, ...]


def opened(folder: str, dataset: str, workspace: Workspace) -> OpenedModel:
    """Open a model for the sliders; blocks: its ONNX conversion is a job, made once.

    Args:
        folder: Of the model.
        dataset: What to answer where the model does not say what it was trained on.
        workspace: Where the conversion runs.

    Raises:
        BadInputError: It is no Keras model, or does not fit the data.
        ParityError: The conversion does not answer like the model.
        WorkspaceError: The model file is missing, truncated or changed.
    """
    from workbench.compress.preview import open_preview

    artifact = Artifact.load(folder).verify()
    spec = artifact.settings.get("dataset")
    data = Dataset.open_spec(spec, workspace) if isinstance(spec, dict) else open_chosen(dataset, workspace)
    preview = open_preview(artifact, data, workspace=workspace)
    try:
        for first in _FIRST:  # what is sorted once is sorted before a finger waits for it
            preview.first(first)
        swept = tuple(points_of_sweeps(artifact.sha256, workspace))
        tuned = kept_points(artifact, data, workspace)
        return OpenedModel(folder, artifact, data, preview, preview.final(PreviewSettings()), swept, tuned)
    except BaseException:
        preview.close()
        raise


def coarse_then_fine(preview: Preview, where: PreviewSettings, outdated: Callable[[], bool]) -> Iterator[PreviewAnswer]:
    """Answer for a position on 250 samples, and on more of them only where nobody has moved on by then.

    The slider answers the first samples again at rest; while a finger moves, no batch beyond them is begun.
    """
    first = preview.first(where)
    yield first
    if not first.final and not outdated():
        yield from (each for each in preview.answers(where, stop=outdated) if each.images > first.images)


def can_be_moved(folder: str) -> bool:
    """Say whether the sliders can open a model: it is there, and its weights are Keras'."""
    try:
        return Artifact.load(folder).format == "tf_keras"
    except WorkbenchError:
        return False


def data_of(folder: str, chosen: str, workspace: Workspace) -> str:
    """Return the data that a model was trained on, as a control holds it; what is chosen where nothing says."""
    try:
        spec = Artifact.load(folder).settings.get("dataset") if folder else None
    except WorkbenchError:
        spec = None
    if isinstance(spec, dict):
        return chosen_by(spec, workspace)
    return chosen or default_dataset(workspace).name
