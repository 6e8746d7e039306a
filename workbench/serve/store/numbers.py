"""Which number a new version gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.errors import BadInputError
from workbench.core.workspace import writing
from workbench.serve.config.model_config import MAX_VERSION
from workbench.serve.store.copies import holds
from workbench.serve.store.files import rename_folder
from workbench.serve.store.gates import gate_of
from workbench.serve.store.history import changes, enter, noted
from workbench.serve.versions.source import versions_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.core.artifact import Artifact
    from workbench.core.records.store import StoreChange

_SERVABLE = ("onnx", "tflite", "saved_model", "packed")


def check_publishable(artifact: Artifact, version: int | None) -> None:
    """Refuse what cannot be served, before anything is written.

    Raises:
        BadInputError: The format is none that is served, or the number no version's.
    """
    if artifact.format not in _SERVABLE:
        raise BadInputError.of(
            "artifact", got=artifact.format,
            rule=f"must be of format {', '.join(_SERVABLE[:-1])} or {_SERVABLE[-1]} to be published or packaged",
            hint='convert it first, for instance with `workbench.convert(artifact, "onnx")`',
        )  # fmt: skip
    if version is not None and not 0 <= version <= MAX_VERSION:
        raise BadInputError.of("version", rule="must be between 0 and 2^63 - 1", got=version)


def claim(
    folder: Path, copy: Path, artifact: Artifact, wanted: int | None, planned: Callable[[int], StoreChange]
) -> int:
    """Give a copy its number, and return it; the same model keeps the number it has.

    Args:
        folder: The model's, whose lock is held.
        copy: A whole copy of the artifact in it.
        artifact: What was copied.
        wanted: The number it shall have; None gives the next.
        planned: Returns the change that the history keeps, for a number.

    Raises:
        BadInputError: The number holds another model, or there is none left.
        WorkspaceError: The disk refused it.
    """
    # Writers that know nothing of our lock lay versions there too: renaming onto a folder that is not empty fails.
    while True:
        known = versions_in(folder)[0]
        version = (max(known, default=0) + 1) if wanted is None else wanted
        same = max(known, default=None) if wanted is None else wanted
        if same in known and holds(known[same], artifact):
            _judge_again(folder, planned(same))
            return same
        if version > MAX_VERSION:
            raise BadInputError.of(
                "version", rule="must be given where the newest is 2^63 - 1, after which none comes", got=wanted
            )
        if wanted in known:
            raise BadInputError.of(
                "version", rule=f"must not hold another model of {folder.name} already", got=wanted,
                hint="leave the number out to publish as the next version",
            )  # fmt: skip
        try:
            with noted(folder, planned(version)):
                rename_folder(copy, folder / str(version))
        except OSError:
            if version not in versions_in(folder)[0]:
                with writing(folder):
                    raise
            continue
        return version


def _judge_again(folder: Path, done: StoreChange) -> None:
    """Enter that a model which is there already has passed a gate since."""
    if done.gate != "ungated" and gate_of(changes(folder), done.version, done.sha256) == "ungated":
        enter(folder, done)
