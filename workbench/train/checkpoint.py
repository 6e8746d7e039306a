"""What a run needs to go on after its process was killed, written after each epoch."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import WorkspaceError
from workbench.core.records import EpochPoint
from workbench.core.workspace import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FILE_NAME = "checkpoint.npz"


@dataclass
class Progress:
    """How far a run is.

    Attributes:
        points: Finished epochs.
        best_epoch: The one with the lowest val_loss, counted from 1; None without validation.
        best_weights: Its weights.
    """

    points: list[EpochPoint] = field(default_factory=list)
    best_epoch: int | None = None
    best_weights: list[NDArray[Any]] | None = None

    @property
    def done(self) -> int:
        """Finished epochs."""
        return len(self.points)


def save(path: Path, model: Any, progress: Progress) -> None:
    """Write weights, optimizer state and progress; a reader sees the old file or the new.

    Raises:
        WorkspaceError: The disk refused it.
    """
    facts = {"points": [point.to_json() for point in progress.points], "best_epoch": progress.best_epoch}
    arrays = {"facts": np.array(json.dumps(facts))}
    arrays |= _numbered("weight", model.get_weights())
    arrays |= _numbered("optimizer", [variable.numpy() for variable in model.optimizer.variables])
    arrays |= _numbered("best", progress.best_weights or [])
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    write_atomic(path, buffer.getvalue())


def restore(path: Path, model: Any) -> Progress:
    """Put weights and optimizer state back; without a file nothing changes and nothing is done yet.

    Args:
        path: The checkpoint.
        model: Compiled, with the same layers and optimizer.

    Raises:
        WorkspaceError: The file is no checkpoint of this model.
    """
    if not path.is_file():
        return Progress()
    try:
        with np.load(path, allow_pickle=False) as file:
            facts = json.loads(str(file["facts"]))
            weights, optimizer, best = (_in_order(file, name) for name in ("weight", "optimizer", "best"))
        model.optimizer.build(model.trainable_variables)
        model.set_weights(weights)
        for variable, value in zip(model.optimizer.variables, optimizer, strict=True):
            variable.assign(value)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise WorkspaceError(f"{path} cannot be resumed from ({error}); delete it to start anew.") from error
    points = [EpochPoint.from_json(point) for point in facts["points"]]
    return Progress(points, facts["best_epoch"], best or None)


def _numbered(name: str, arrays: list[NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {f"{name}_{number}": array for number, array in enumerate(arrays)}


def _in_order(file: Any, name: str) -> list[NDArray[Any]]:
    count = sum(key.startswith(f"{name}_") for key in file.files)
    return [file[f"{name}_{number}"] for number in range(count)]
