"""What a sweep was asked, read from its folder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from workbench.core.artifact import Artifact
from workbench.sweep.plan import Base, grid
from workbench.sweep.settings import SweepSettings
from workbench.sweep.space import Space

if TYPE_CHECKING:
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset
    from workbench.sweep.folder import SweepFolder
    from workbench.sweep.plan import Plan


def base_of(asked: dict[str, Any]) -> Base:
    """Return what all points of a question share."""
    settings, parent = asked["settings"], asked["parent"]
    return Base.of(
        asked["dataset"], parent["sha256"] if parent else None,
        runs=settings["runs"], share_trajectory=settings["share_trajectory"],
    )  # fmt: skip


@dataclass(frozen=True)
class Question:
    """The question of a sweep's folder.

    Attributes:
        folder: Its files.
        workspace: Where they lie.
    """

    folder: SweepFolder
    workspace: Workspace

    @property
    def name(self) -> str:
        """Its folder's name."""
        return self.folder.name

    @cached_property
    def settings(self) -> SweepSettings:
        """How it searches and measures."""
        return SweepSettings.parse(self.folder.asked()["settings"])

    @cached_property
    def space(self) -> Space:
        """What it tries."""
        return Space.from_json(self.folder.asked()["space"])

    @property
    def base(self) -> Base:
        """What all its points share."""
        return base_of(self.folder.asked())

    def data(self) -> Dataset:
        """Open its dataset.

        Raises:
            WorkspaceError: It is not in the workspace any more.
        """
        from workbench.datasets import Dataset

        return Dataset.open_spec(self.folder.asked()["dataset"], self.workspace)

    def parent(self) -> Artifact | None:
        """Load the model that it compresses; None where it trains its own.

        Raises:
            WorkspaceError: The model was changed since the sweep began, or is gone.
        """
        parent = self.folder.asked()["parent"]
        return None if parent is None else Artifact.load(parent["folder"]).verify(parent["sha256"])

    def total(self) -> int:
        """Return how many points it has when it is done; for Optuna at most."""
        if self.settings.search == "optuna":
            return self.settings.trials * max(1, len(self.settings.seeds))
        return len(self.plans())

    def plans(self) -> tuple[Plan, ...]:
        """Return the points of its grid; for Optuna none, they are not known before."""
        return self._grid

    @cached_property
    def _grid(self) -> tuple[Plan, ...]:
        if self.settings.search == "optuna":
            return ()
        return grid(self.space, self.base, self.settings.seeds)
