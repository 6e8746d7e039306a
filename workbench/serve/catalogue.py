"""What a sandbox serves of the workspace's store, as configuration for those who load it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.serve.config.model_config import All, Latest, ModelConfig, Specific
from workbench.serve.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from workbench.serve.settings import ServeSettings


class Catalogue:
    """One model of the store; which of its versions are served follows from the settings.

    Attributes:
        versions: Those it was told of; what is served where the policy is `specific`.
    """

    def __init__(self, settings: ServeSettings, base: Path, versions: Sequence[int]) -> None:
        self.versions = tuple(sorted(versions))
        self._settings = settings
        self._store = Store(base)
        self._at_once = max(1, len(self.versions))

    def add(self, version: int) -> None:
        """Serve a version too: in place of the oldest, unless a label means that one."""
        labelled = set(self._store.labels(self._settings.name).values())
        every = sorted({*self.versions, version})
        kept = {*every[-self._at_once :], version}
        self.versions = tuple(each for each in every if each in kept or each in labelled)

    def has_saved_model(self) -> bool:
        """Tell whether one of the versions needs TensorFlow, whose processes are large."""
        folders = self._store.versions(self._settings.name)
        return any((folder / "saved_model.pb").is_file() for folder in folders.values())

    def configs(self) -> list[ModelConfig]:
        """Return what is to be served now; labels are read anew.

        Raises:
            WorkspaceError: The labels are damaged.
        """
        name, asked = self._settings.name, self._settings
        labels = self._store.labels(name)
        policy: Latest | All | Specific
        if asked.policy == "latest":
            policy = Latest(num_versions=asked.num_versions)
        elif asked.policy == "all":
            policy = All()
        else:
            policy = Specific(versions=self.versions)
            labels = {label: version for label, version in labels.items() if version in self.versions}
        return [ModelConfig(name=name, base_path=str(self._store.base / name), policy=policy, labels=labels)]
