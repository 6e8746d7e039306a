"""What requests are compared with: how samples look, and how the model answers those that it did not learn from."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError, WorkspaceError
from workbench.core.sketch import sketch, sketch_shape, top
from workbench.core.workspace import Workspace, write_atomic

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from workbench.core.events import Event
    from workbench.datasets import Dataset
    from workbench.datasets.dataset import Split
    from workbench.jobs.stage import StageContext

    Array = np.ndarray[Any, Any]

Part = Literal["test", "validation", "train"]

STAGE = "workbench.monitor.drift.reference:run"
_MOST = 2000
_ARRAYS = ("features", "predictions", "confidence")
_RANKS = (2, 1, 1)


@dataclass(frozen=True, eq=False)
class Reference:
    """Frozen; a small file (`save`, `load`) lets a monitor begin again where it was.

    Attributes:
        features: Sketches of samples, shape (m, values), float32.
        predictions: Classes answered, shape (k,), int64.
        confidence: Probabilities of those answers that tell how sure the model is, shape (at most k,), float32.
        shape: Rows and columns of an image's sketch, else its length.
        classes: Names in label order.
        source: What it was made of: model, dataset, split.
    """

    features: Array
    predictions: Array
    confidence: Array
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    source: dict[str, str]

    @classmethod
    def of(
        cls,
        artifact: Artifact,
        dataset: Dataset | str | os.PathLike[str],
        *,
        split: Part = "test",
        validation_split: float = 0.1,
        samples: int = _MOST,
        workspace: Workspace | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> Reference:
        """Measure a reference.

        How samples look and how often each class is answered is taken from the training samples, of which there are
        many. How sure the model is must be taken from others than those that it learnt from, which it is too sure of:
        from `split`.

        Args:
            artifact: The model that is served.
            dataset: What it was trained on.
            split: Whose answers tell that: `test`; `validation`, where training held back a part of its samples; or
                `train`, for a model that learnt from none of them.
            validation_split: Share that training held back (its `validation_fraction`), where that is asked.
            samples: Samples of either at most, evenly spaced.
            workspace: Where a job runs, where the format needs one; None is the default one.
            on_event: Called with each event of the job.

        Raises:
            BadInputError: The model does not fit the dataset, or gives no class scores, or the split is none.
            WorkspaceError: The model file is missing, truncated or changed.
        """
        from workbench.datasets import load_dataset
        from workbench.evaluate.runtimes import runtimes

        data = load_dataset(dataset, workspace=workspace)
        if split not in get_args(Part):
            raise BadInputError.of("split", rule="must be test, validation or train", got=split)
        asked = {"split": split, "validation_split": validation_split, "samples": samples}
        if runtimes.get(artifact.format).in_process:
            said = _answers(artifact, data, asked)
        else:
            said = _asked_of_a_job(artifact, data, asked, workspace, on_event)
        return cls(
            features=sketch(data.floats("train", _spaced(_parts(data, asked)["train"], samples))),
            predictions=np.array(said["predictions"], np.int64),
            confidence=np.array(said["confidence"], np.float32),
            shape=sketch_shape(data.shape),
            classes=data.classes,
            source={"model": artifact.sha256, "dataset": data.name, "checksum": data.checksum, "split": split},
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Reference:
        """Read one back.

        Raises:
            WorkspaceError: The file is missing, or is none that `save` wrote.
        """
        try:
            with np.load(io.BytesIO(Path(path).read_bytes()), allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in _ARRAYS}
                facts = json.loads(str(stored["facts"]))
            found = cls(
                **arrays,
                shape=tuple(facts["shape"]),
                classes=tuple(facts["classes"]),
                source=dict(facts["source"]),
            )
        except Exception as error:  # a damaged archive raises what its bytes lead to
            reason = f"{type(error).__name__}: {' '.join(str(error).split())[:100]}"
            raise WorkspaceError(f"{path} cannot be read as a reference ({reason}); make it again.") from error
        if tuple(array.ndim for array in arrays.values()) != _RANKS or not len(found.features):
            raise WorkspaceError(f"{path} is damaged (its arrays are of other shapes); make it again.")
        return found

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it as one small file, atomically, and return its path.

        Raises:
            WorkspaceError: The disk refused it.
        """
        facts = json.dumps({"shape": self.shape, "classes": self.classes, "source": self.source})
        file = io.BytesIO()
        np.savez_compressed(file, facts=np.array(facts), **{name: getattr(self, name) for name in _ARRAYS})
        # Sketches of training samples are the owner's alone.
        write_atomic(Path(path), file.getvalue(), private=True)
        return Path(path)

    def __repr__(self) -> str:
        return (
            f"Reference({len(self.features)} samples as {self.features.shape[1]} values, {len(self.predictions)} "
            f"answers in {len(self.classes)} classes, of {self.source.get('dataset', '?')})"
        )


def run(context: StageContext) -> dict[str, list[Any]]:
    """Ask the model in a job."""
    from workbench.datasets import Dataset

    asked = context.settings
    data = Dataset.open_spec(asked["dataset"], context.workspace)
    artifact = Artifact.load(asked["artifact"]).verify(asked["sha256"])
    return _answers(artifact, data, asked["asked"])


def _asked_of_a_job(
    artifact: Artifact,
    data: Dataset,
    asked: dict[str, Any],
    workspace: Workspace | None,
    on_event: Callable[[Event], None] | None,
) -> dict[str, list[Any]]:
    from workbench.jobs import finish, submit

    settings = {"artifact": str(artifact.folder), "sha256": artifact.verify().sha256, "dataset": data.spec}
    job = submit(STAGE, {**settings, "asked": asked}, kind="reference", workspace=workspace)
    finish(job, on_event=on_event)
    value: dict[str, list[Any]] = job.value()
    return value


def _answers(artifact: Artifact, data: Dataset, asked: dict[str, Any]) -> dict[str, list[Any]]:
    from workbench.evaluate.runtimes.base import open_runtime, predict_all, require_shape

    parts = _parts(data, asked)
    with open_runtime(artifact) as runtime:
        require_shape(runtime, data.shape)

        def answered(part: str) -> tuple[Array, Array]:
            split: Split = "test" if part == "test" else "train"
            which = _spaced(parts[part], asked["samples"])
            outputs = predict_all(runtime, lambda at: data.floats(split, which[at]), len(which))
            if outputs.ndim != 2 or outputs.shape[1] != len(data.classes):  # noqa: PLR2004 - samples and classes
                raise BadInputError.of("artifact", rule="must answer with a score for each class", got=outputs.shape)
            best, sure, _ = top(outputs)
            return best, sure

        best, sure = answered(asked["split"])
        if asked["split"] != "train":
            best = np.concatenate([answered("train")[0], best])
    return {"predictions": best.tolist(), "confidence": sure.tolist()}


def _parts(data: Dataset, asked: dict[str, Any]) -> dict[str, Array]:
    """Return the samples of each part by their places in their split."""
    parts = {"train": np.arange(data.train_size), "test": np.arange(data.test_size)}
    if asked["split"] == "validation":
        parts["train"], parts["validation"] = data.validation_split(asked["validation_split"])
    return parts


def _spaced(which: Array, most: int) -> Array:
    # Neighbours may be of one hand, as those of MNIST are.
    return which if len(which) <= most else which[np.linspace(0, len(which) - 1, most).astype(int)]
