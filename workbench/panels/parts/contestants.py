"""Models that answer a drawing side by side, each opened once by an engine that needs no TensorFlow."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workbench.core.artifact import MANIFEST, Artifact
from workbench.core.errors import WorkbenchError
from workbench.core.language import _
from workbench.datasets import Dataset
from workbench.datasets.drawn import Preprocessing, as_seen, is_image

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from workbench.core.workspace import Workspace
    from workbench.evaluate.runtimes import Runtime
    from workbench.jobs import Job

MOST = 8
_MOST_RUNS = 200
_NEAR_ONE = 1e-3


class Answer(NamedTuple):
    """What one model says of one drawing: a probability a class, and how long it took."""

    shares: tuple[float, ...]
    milliseconds: float


class Contestant(NamedTuple):
    """A model that is asked.

    Attributes:
        name: What people call it.
        detail: What answers for it.
        shape: Of its sample; empty where it does not answer.
        runtime: What answers; None where nothing does.
        note: Why nothing does, and the next step.
        folder: Of the model.
        wants_twin: A conversion to ONNX would let it answer.
    """

    name: str
    detail: str
    shape: tuple[int, ...] = ()
    runtime: Runtime | None = None
    note: str = ""
    folder: str = ""
    wants_twin: bool = False

    def answer(self, ink: NDArray[np.float32], preprocessing: Preprocessing) -> Answer:
        """Answer a drawing, (side, side) in [0, 1]."""
        assert self.runtime is not None, "whoever does not answer is not asked"
        begun = time.perf_counter()
        given = self.runtime.predict(as_seen(ink, self.shape, preprocessing=preprocessing)[None])[0]
        return Answer(probabilities(given), 1000 * (time.perf_counter() - begun))


def probabilities(given: NDArray[np.float32]) -> tuple[float, ...]:
    """Return what a model gave as probabilities; where it gave none, they are the softmax of its scores."""
    scores = np.asarray(given, np.float64).ravel()
    if scores.size and (scores.min() < -_NEAR_ONE or abs(scores.sum() - 1) > 10 * _NEAR_ONE):
        scores = np.exp(scores - scores.max())
    total = scores.sum()
    return tuple(np.clip(scores / total, 0, 1).tolist()) if total > 0 else tuple(scores.tolist())


def candidates(chosen: Mapping[str, str], artifact: str, workspace: Workspace) -> dict[str, Artifact]:
    """Return the models to ask, by name: what is compared, what is chosen, and what either was converted to; blocks.

    Args:
        chosen: Folders by what people call them.
        artifact: Folder of the model that is chosen; where nothing is, the one trained last.
        workspace: Where conversions are looked for.
    """
    named = {name: made for name, folder in chosen.items() if (made := _loaded(folder)) is not None}
    last = _loaded(artifact) if artifact else None
    if not named and last is None:
        last = _trained_last(workspace)
    if last is not None and all(made.sha256 != last.sha256 for made in named.values()):
        named = {last.name: last, **named}
    return dict(list(_with_conversions(named, workspace).items())[:MOST])


def opened(models: Mapping[str, Artifact]) -> list[Contestant]:
    """Open models, or say of each why it does not answer; blocks.

    A model that needs TensorFlow is answered for by its own float ONNX conversion, which then has no second card.
    """
    twins = {made.parent: name for name, made in models.items() if made.format == "onnx" and made.numeric == "float32"}
    stand_ins = {twins[made.sha256] for made in models.values() if _is_keras(made) and made.sha256 in twins}
    found = []
    for name, made in models.items():
        if name in stand_ins:
            continue
        if not _is_keras(made):
            found.append(_opened(name, made))
        elif made.sha256 in twins:
            twin = _opened(name, models[twins[made.sha256]])
            found.append(twin._replace(detail=_("by its ONNX conversion"), folder=str(made.folder)))
        else:
            found.append(_silent(name, made))
    return found


def classes_of(
    models: Mapping[str, Artifact], contestants: Sequence[Contestant], workspace: Workspace
) -> tuple[str, ...]:
    """Return the names of the classes: those of the data that a model was trained on, else numbers; blocks."""
    for made in models.values():
        spec = made.settings.get("dataset")
        if isinstance(spec, dict):
            with contextlib.suppress(WorkbenchError):
                return Dataset.open_spec(spec, workspace).classes
    answering = [each.runtime.outputs[0].shape[-1] for each in contestants if each.runtime is not None]
    return tuple(map(str, range(max(0, *answering, 0))))


def count_conversions(workspace: Workspace) -> int:
    """Return how many conversions there are by now."""
    return sum((run / "result" / MANIFEST).is_file() for run in workspace.list_runs("convert")[:_MOST_RUNS])


def begin_conversions(folders: Sequence[str], workspace: Workspace) -> list[Job]:
    """Ask for the ONNX conversions of models that need one to answer; blocks."""
    from workbench.convert.run import start_conversion

    return [start_conversion(Artifact.load(folder), "onnx", workspace=workspace) for folder in folders]


def _is_keras(made: Artifact) -> bool:
    return made.format in ("tf_keras", "keras", "h5", "saved_model")


def _opened(name: str, made: Artifact) -> Contestant:
    from workbench.evaluate.runtimes import open_runtime, runtimes

    detail = f"{made.format} {made.numeric}"
    folder = str(made.folder)
    if made.format not in runtimes.names() or not runtimes.get(made.format).in_process:
        note = _("A {format} file does not answer here; compare its ONNX or TFLite conversion.")
        return Contestant(name, detail, note=note.format(format=made.format), folder=folder)
    try:
        runtime = open_runtime(made)
    except (WorkbenchError, ImportError) as error:
        return Contestant(name, detail, note=str(error), folder=folder)
    shape = runtime.inputs[0].shape[1:]
    if not is_image(shape):
        runtime.close()
        return Contestant(name, detail, note=_("It takes no images, so nothing can be drawn for it."), folder=folder)
    runtime.predict(np.zeros((1, *shape), np.float32))  # the first call is slower than all others
    return Contestant(name, detail, shape, runtime, folder=folder)


def _silent(name: str, made: Artifact) -> Contestant:
    note = _("Its file needs TensorFlow, which is not loaded into a page; convert it to ONNX and it answers here.")
    return Contestant(name, f"{made.format} {made.numeric}", note=note, folder=str(made.folder), wants_twin=True)


def _with_conversions(named: Mapping[str, Artifact], workspace: Workspace) -> dict[str, Artifact]:
    """Add what the models were converted to: of each format and numeric type the newest, a model."""
    found, sources = dict(named), {made.sha256: name for name, made in named.items()}
    kinds = set()
    for made in _conversions(workspace):
        label = f"{made.format} {made.numeric}"
        if made.parent is None or made.parent not in sources or made.sha256 in sources or (made.parent, label) in kinds:
            continue
        kinds.add((made.parent, label))
        name = f"{label}, {sources[made.parent]}" if label in found else label
        found[name] = made
        sources[made.sha256] = name
    return found


def _loaded(folder: str | Path) -> Artifact | None:
    try:
        return Artifact.load(folder)
    except WorkbenchError:
        return None


def _trained_last(workspace: Workspace) -> Artifact | None:
    found = (_loaded(run / "result") for run in workspace.list_runs("train") if (run / "result" / MANIFEST).is_file())
    return next((made for made in found if made is not None), None)


def _conversions(workspace: Workspace) -> list[Artifact]:
    runs = workspace.list_runs("convert")[:_MOST_RUNS]
    found = (_loaded(run / "result") for run in runs if (run / "result" / MANIFEST).is_file())
    return [made for made in found if made is not None and made.format in ("onnx", "tflite")]
