"""An old dataset and a hard set together: what is trained on, and what the training is measured by."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import BadInputError
from workbench.datasets import Dataset, checks, content
from workbench.datasets.content import Content
from workbench.datasets.dataset import safe_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from workbench.core.records import HardSample
    from workbench.core.workspace import Workspace
    from workbench.pipeline.hard_set import HardSet

_WHITE = 255
_CHUNK = 4096


@dataclass(frozen=True)
class Joined:
    """Old and hard samples.

    Attributes:
        data: The old training split, corrected, and the hard samples to train on; the test split is the old one.
        measured: A dataset whose test split are the hard samples to measure by; None where there are none.
        trained_on: How many hard samples are trained on.
        corrected: How many samples of the old training split have another label now.
    """

    data: Dataset
    measured: Dataset | None
    trained_on: int
    corrected: int


def join(data: Dataset, hard: HardSet, workspace: Workspace, *, repeat: int = 1) -> Joined:
    """Join a hard set to an old dataset.

    A sample of the old test split is only measured, never trained on, whatever the set says. One of the old training
    split corrects that one's label; it cannot measure what has seen it.

    Args:
        data: The old dataset.
        hard: What was kept.
        workspace: Where the joined dataset is written.
        repeat: How often each hard sample stands in the training split.

    Raises:
        BadInputError: The set's samples do not fit the dataset, or a class would lose its last training sample.
        WorkspaceError: A file was damaged, or the disk refused it.
    """
    kept = hard.samples()
    require_fit(data, hard, [sample for sample, _ in kept])
    old = Content.of(data)
    x, in_train, measured = _placed(old, kept)
    y = np.array([sample.label for sample, _ in kept], np.int64)
    y_train, corrected = _corrected(old.y_train, in_train[~measured], y[~measured])
    # A sample of the old training split stands there once already.
    times = np.where(in_train[~measured] >= 0, repeat - 1, repeat)
    x_train = np.concatenate([old.x_train, np.repeat(x[~measured], times, axis=0)])
    y_train = np.concatenate([y_train, np.repeat(y[~measured], times)])
    checks.class_count(y_train, old.y_test, old.classes)
    name = safe_name(f"{data.name}-{hard.name}")
    new = Content(x_train, y_train, old.x_test, old.y_test, old.classes, old.note, old.kind, old.columns)
    folder = content.store(workspace, name, new)
    return Joined(Dataset.open(folder), _measured(x[measured], y[measured], old, name, workspace),
                  int((~measured).sum()), corrected)  # fmt: skip


def require_lesson(data: Dataset, hard: HardSet) -> None:
    """Refuse a hard set of which nothing would be trained on.

    Raises:
        BadInputError: All its samples only measure: they stand in the old test split, or are held back.
    """
    kept = hard.samples()
    _, _, measured = _placed(Content.of(data), kept)
    if measured.all():
        raise BadInputError.of(
            f"the hard set {hard.name}", rule="must hold samples to learn from", got=f"{len(kept)} that only measure",
            hint=f"a sample of {data.name}'s test split is never trained on; add others",
        )  # fmt: skip


def require_fit(data: Dataset, hard: HardSet, kept: Sequence[HardSample]) -> None:
    """Refuse a hard set that does not belong to a dataset.

    Raises:
        BadInputError: It is empty, its samples are of another shape, or a label is none of the dataset's.
    """
    if not kept:
        raise BadInputError.of(f"the hard set {hard.name}", rule="must hold samples", got="none",
                               hint="keep some with its `add(x, label)`")  # fmt: skip
    for sample in kept:
        if sample.shape != data.shape:
            raise BadInputError.of(f"the hard set {hard.name}", rule=f"must hold samples of {data.name}'s shape, "
                                   f"{data.shape}", got=sample.shape)  # fmt: skip
        if sample.label >= len(data.classes):
            raise BadInputError.of(
                f"the label of sample {sample.number} of {hard.name}", got=sample.label,
                rule=f"must be one of {data.name}'s (0 to {len(data.classes) - 1})", hint="add it again with its label",
            )  # fmt: skip


def _placed(
    old: Content, kept: Sequence[tuple[HardSample, NDArray[Any]]]
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.bool_]]:
    """Return the samples as the old ones are stored, where each stands in the old training split, and which measure."""
    x = np.stack([_as_stored(stored, old.x_train.dtype) for _, stored in kept])
    in_train, in_test = _places(old.x_train, x), _places(old.x_test, x)
    measured = [place >= 0 or (sample.held and inside < 0)
                for (sample, _), place, inside in zip(kept, in_test, in_train, strict=True)]  # fmt: skip
    return x, in_train, np.array(measured)


def _as_stored(stored: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    if stored.dtype == np.uint8 and dtype != np.uint8:
        stored = content.as_floats(stored)
    elif dtype == np.uint8 and stored.dtype != np.uint8:
        # What is drawn is smooth; the old images have grey levels, and one sample must not make floats of them all.
        stored = np.rint(stored * _WHITE)
    as_old: NDArray[Any] = stored.astype(dtype)
    return as_old


def _places(split: NDArray[Any], wanted: NDArray[Any]) -> NDArray[np.int64]:
    """Return where each sample stands in a split, −1 where it does not."""
    missing = {_digest(row): -1 for row in wanted}
    for start in range(0, len(split), _CHUNK):
        for index, row in enumerate(np.ascontiguousarray(split[start : start + _CHUNK]), start):
            if (key := _digest(row)) in missing:
                missing[key] = index
    return np.array([missing[_digest(row)] for row in wanted], np.int64)


def _digest(row: NDArray[Any]) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(row).data, digest_size=16).digest()


def _corrected(
    labels: NDArray[np.int64], places: NDArray[np.int64], right: NDArray[np.int64]
) -> tuple[NDArray[np.int64], int]:
    found = np.array(labels)
    inside = places >= 0
    found[places[inside]] = right[inside]
    return found, int((found != labels).sum())


def _measured(x: NDArray[Any], y: NDArray[np.int64], old: Content, name: str, workspace: Workspace) -> Dataset | None:
    if not len(x):
        return None
    # Nothing is trained on it, so its training split is the same few samples.
    held = Content(x, y, x, y, old.classes, "", old.kind, old.columns)
    return Dataset.open(content.store(workspace, safe_name(f"{name}-held"), held))
