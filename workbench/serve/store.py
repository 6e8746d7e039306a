"""The model store in TensorFlow Serving's own layout: `<base>/<name>/<version>/`.

A version folder holds the model file and its manifest. It appears whole or not at all: it is copied under a temporary
name, then renamed.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.core.artifact import MANIFEST, Artifact
from workbench.core.errors import BadInputError, WorkbenchError, WorkspaceError
from workbench.core.workspace import read_json, write_json, writing
from workbench.serve.config.model_config import MAX_VERSION, All, ModelConfig
from workbench.serve.settings import MODEL_NAME
from workbench.serve.spread import is_spread, verify_spread
from workbench.serve.versions.source import versions_in

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.workspace import Workspace

LABELS = "labels.json"

_LABELS_LOCK = ".labels.lock"
_SERVABLE = ("onnx", "tflite", "saved_model", "packed")
_LABEL = re.compile(r"[A-Za-z0-9_]+")


@dataclass(frozen=True)
class Store:
    """A folder of models; many processes may publish into it at once and none loses a version."""

    base: Path

    @classmethod
    def of(cls, workspace: Workspace) -> Store:
        """Return a workspace's store."""
        return cls(workspace.models)

    def versions(self, name: str) -> dict[int, Path]:
        """Return the version folders of a model, oldest first; names that are no int64 are not versions.

        Raises:
            BadInputError: The name is none that a model may have.
        """
        folder = self.base / _checked(name)
        if not folder.is_dir():
            return {}
        return versions_in(folder)[0]

    def configs(self) -> list[ModelConfig]:
        """Return every model with all its versions and labels: what `write_models` makes a file of.

        Raises:
            WorkspaceError: The labels of a model are damaged.
        """
        names = sorted(path.name for path in self.base.iterdir()) if self.base.is_dir() else []
        found = []
        for name in names:
            known = self.versions(name) if re.fullmatch(MODEL_NAME, name) and ".." not in name else {}
            if known:
                labels = {label: version for label, version in self.labels(name).items() if version in known}
                base = str(self.base.absolute() / name)
                found.append(ModelConfig(name=name, base_path=base, policy=All(), labels=labels))
        return found

    def publish(self, artifact: Artifact, name: str, version: int | None = None) -> int:
        """Copy an artifact into the store.

        The same file again, as the newest version or under the same number, is not copied twice.

        Args:
            artifact: An ONNX, TFLite, SavedModel or packed artifact, checked against its manifest.
            name: Model name.
            version: Number it shall have; None gives the next.

        Returns:
            The version's number.

        Raises:
            BadInputError: The format cannot be served, the name or number may not be used, or the number holds
                another model.
            WorkspaceError: The artifact's file was changed, or the store cannot be written.
        """
        if artifact.format not in _SERVABLE:
            raise BadInputError.of(
                "artifact", got=artifact.format,
                rule=f"must be of format {', '.join(_SERVABLE[:-1])} or {_SERVABLE[-1]} to be served",
                hint='convert it first, for instance with `workbench.convert(artifact, "onnx")`',
            )  # fmt: skip
        if version is not None and not 0 <= version <= MAX_VERSION:
            raise BadInputError.of("version", rule="must be between 0 and 2^63 - 1", got=version)
        artifact.verify()
        folder = self.base / _checked(name)
        copy = folder / f".new-{secrets.token_hex(6)}"
        with writing(folder):
            copy.mkdir(parents=True)
        try:
            _copy(artifact, copy)
            return self._claim(copy, artifact, name, version)
        finally:
            shutil.rmtree(copy, ignore_errors=True)

    def publish_all(self, artifact: Artifact | Mapping[int, Artifact], name: str) -> list[int]:
        """Copy an artifact into the store as the next version, or one for each number, and return the numbers.

        Raises:
            BadInputError: As `publish`, or it is no artifact.
            WorkspaceError: As `publish`.
        """
        if isinstance(artifact, Artifact):
            return [self.publish(artifact, name)]
        every = artifact if isinstance(artifact, Mapping) else {}
        if not every or not all(type(key) is int and isinstance(each, Artifact) for key, each in every.items()):
            raise BadInputError.of(
                "artifact", rule="must be an Artifact, or some by their version numbers", got=artifact,
                hint="`workbench.Artifact.load(folder)` opens one, `workbench.adopt(file)` makes one",
            )  # fmt: skip
        return [self.publish(one, name, version) for version, one in sorted(every.items())]

    def labels(self, name: str) -> dict[str, int]:
        """Return a model's labels and the versions they mean.

        Raises:
            WorkspaceError: The file that holds them is damaged.
        """
        path = self.base / _checked(name) / LABELS
        if not path.is_file():
            return {}
        found = read_json(path)
        if not isinstance(found, dict) or not all(type(version) is int for version in found.values()):
            raise WorkspaceError(f"{path} must map labels to version numbers, got something else; delete it.")
        return found

    def label(self, name: str, label: str, version: int) -> None:
        """Make a label mean a version; of writers at the same time none undoes another's label.

        Raises:
            BadInputError: The label has other signs than letters, digits and `_`, or there is no such version.
            WorkspaceError: The labels are damaged, or the store cannot be written.
        """
        check_label(label)
        known = self.versions(name)
        if version not in known:
            raise BadInputError.of(
                "version", rule=f"must be one of {', '.join(map(str, known)) or 'none'}", got=version
            )
        from workbench.jobs.lock import locked  # 20 ms that the server's start need not wait for

        folder = self.base / name
        with locked(folder / _LABELS_LOCK):
            write_json(folder / LABELS, {**self.labels(name), label: version})

    def _claim(self, copy: Path, artifact: Artifact, name: str, wanted: int | None) -> int:
        # Renaming onto a folder that is not empty fails, so of two writers one gets the number, the other the next.
        while True:
            known = self.versions(name)
            version = (max(known, default=0) + 1) if wanted is None else wanted
            same = max(known, default=None) if wanted is None else wanted
            if same in known and _holds(known[same], artifact):
                return same
            if version > MAX_VERSION:
                raise BadInputError.of(
                    "version", rule="must be given where the newest is 2^63 - 1, after which none comes", got=wanted
                )
            if wanted in known:
                raise BadInputError.of(
                    "version", rule=f"must not hold another model of {name} already", got=wanted,
                    hint="leave the number out to publish as the next version",
                )  # fmt: skip
            try:
                copy.rename(self.base / name / str(version))
            except OSError:
                if version not in self.versions(name):
                    with writing(self.base / name):
                        raise
                continue
            return version


def check_label(label: str) -> None:
    """Refuse what no version may be called.

    Raises:
        BadInputError: It has other signs than letters, digits and `_`.
    """
    if not _LABEL.fullmatch(label):
        raise BadInputError.of("label", rule="must be made of letters, digits and _", got=label)


def _holds(folder: Path, artifact: Artifact) -> bool:
    # A copy that was damaged since, or put there by others without a manifest, is not the same model.
    try:
        found = Artifact.load(folder)
        return (verify_spread(found) if is_spread(found) else found.verify()).sha256 == artifact.sha256
    except WorkbenchError:
        return False


def _copy(artifact: Artifact, folder: Path) -> None:
    with writing(folder):
        if artifact.path.is_dir():  # a SavedModel, whose files TensorFlow Serving wants at the top
            shutil.copytree(artifact.path, folder, dirs_exist_ok=True)
        else:
            shutil.copyfile(artifact.path, folder / artifact.path.name)
        shutil.copyfile(artifact.folder / MANIFEST, folder / MANIFEST)
        for copy in (path for path in folder.rglob("*") if path.is_file()):
            with copy.open("rb") as file:
                os.fsync(file.fileno())


def _checked(name: str) -> str:
    if not re.fullmatch(MODEL_NAME, name) or ".." in name:
        raise BadInputError.of(
            "name", rule="must start with a letter or digit and hold only letters, digits, . _ -", got=name
        )
    return name
