"""What a store holds; reading takes no lock and writes nothing."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError, WorkbenchError
from workbench.core.records.store import StoreChange, StoredVersion
from workbench.serve.config.model_config import All, ModelConfig
from workbench.serve.settings import MODEL_NAME
from workbench.serve.store.copies import sha256_of
from workbench.serve.store.gates import gate_of
from workbench.serve.store.history import changes
from workbench.serve.store.labels import read_labels
from workbench.serve.store.moves import back_from
from workbench.serve.versions.source import versions_in

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.records.store import GateWord


@dataclass(frozen=True)
class StoreReader:
    """A folder of models.

    Attributes:
        base: The folder.
        home: Workspace that vouches for its models when they are tried; None is the default one.
    """

    base: Path
    home: Path | None = None

    def names(self) -> list[str]:
        """Return the models that have a version, sorted."""
        found = sorted(path.name for path in self.base.iterdir()) if self.base.is_dir() else []
        return [name for name in found if _is_name(name) and self.versions(name)]

    def versions(self, name: str) -> dict[int, Path]:
        """Return the version folders of a model, oldest first; names that are no int64 are not versions.

        Raises:
            BadInputError: The name is none that a model may have.
        """
        folder = self._folder(name)
        return versions_in(folder)[0] if folder.is_dir() else {}

    def labels(self, name: str) -> dict[str, int]:
        """Return a model's labels and the versions they mean.

        Raises:
            WorkspaceError: The file that holds them is damaged.
        """
        return read_labels(self._folder(name))

    def history(self, name: str) -> tuple[StoreChange, ...]:
        """Return every change to a model, oldest first; none for a model that is not there."""
        return tuple(changes(self._folder(name)))

    def gate(self, name: str, version: int) -> GateWord:
        """Return how a version came past the gate: `passed`, `overridden` or `ungated`."""
        folder = self.versions(name).get(version)
        return gate_of(changes(self._folder(name)), version, "" if folder is None else sha256_of(folder))

    def before(self, name: str, label: str = "stable") -> int | None:
        """Return the version that `rollback` would go to; None where it has nowhere to go.

        Raises:
            WorkspaceError: The labels are damaged.
        """
        return back_from(changes(self._folder(name)), label, self.labels(name).get(label), self.versions(name))

    def stored(self, name: str) -> tuple[StoredVersion, ...]:
        """Return how each version stands, oldest first.

        Raises:
            WorkspaceError: The labels are damaged.
        """
        history, labels = self.history(name), self.labels(name)
        found = []
        for version, folder in self.versions(name).items():
            facts: dict[str, Any] = {}
            with suppress(WorkbenchError):  # laid there by somebody else
                facts = Artifact.load(folder).model_dump(include={"format", "numeric", "sha256", "created"})
            called = tuple(sorted(label for label, means in labels.items() if means == version))
            gate = gate_of(history, version, facts.get("sha256", ""))
            found.append(StoredVersion(version=version, labels=called, gate=gate, **facts))
        return tuple(found)

    def configs(self) -> list[ModelConfig]:
        """Return every model with all its versions and labels: what `write_models` makes a file of.

        Raises:
            WorkspaceError: The labels of a model are damaged.
        """
        found = []
        for name in self.names():
            known = self.versions(name)
            labels = {label: version for label, version in self.labels(name).items() if version in known}
            base = str(self.base.absolute() / name)
            found.append(ModelConfig(name=name, base_path=base, policy=All(), labels=labels))
        return found

    def _folder(self, name: str) -> Path:
        if not _is_name(name):
            raise BadInputError.of(
                "name", rule="must start with a letter or digit and hold only letters, digits, . _ -", got=name
            )
        return self.base / name


def _is_name(name: str) -> bool:
    return re.fullmatch(MODEL_NAME, name) is not None and ".." not in name
