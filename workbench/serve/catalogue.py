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
        self._staged: tuple[int, ...] = ()
        self._oldest: int | None = None

    def add(self, version: int) -> None:
        """Serve a version too: in place of the oldest, unless a label means that one."""
        labelled = set(self._store.labels(self._settings.name).values())
        every = sorted({*self.versions, version})
        kept = {*every[-self._at_once :], version}
        self.versions = tuple(each for each in every if each in kept or each in labelled)

    def stage(self, stable: int, canary: int) -> None:
        """Serve two versions side by side until one of them is settled on; others that are published wait."""
        self._staged = (stable, canary)

    def unstage(self, versions: Sequence[int]) -> None:
        """Serve again what was served before."""
        self.versions, self._staged = tuple(versions), ()

    def settle(self, version: int, gone: int) -> None:
        """Serve one of the two that were staged and no longer the other, unless a label means that one."""
        labelled = set(self._store.labels(self._settings.name).values())
        kept = {*self.versions, version} - ({gone} - labelled)
        self.versions = tuple(sorted(kept))
        self._staged, self._oldest = (), version

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
        if self._staged:
            labelled = [version for version in labels.values() if version in self._store.versions(name)]
            policy = Specific(versions=tuple(sorted({*self._staged, *self.versions, *labelled})))
        elif asked.policy == "latest":
            # A version that was settled on answers until a newer one is published, however many are in between.
            later = [one for one in self._store.versions(name) if self._oldest is not None and one >= self._oldest]
            policy = Latest(num_versions=max(asked.num_versions, len(later)))
        elif asked.policy == "all":
            policy = All()
        else:
            policy = Specific(versions=self.versions)
        if isinstance(policy, Specific):
            served = set(policy.versions)
            labels = {label: version for label, version in labels.items() if version in served}
        return [ModelConfig(name=name, base_path=str(self._store.base / name), policy=policy, labels=labels)]
