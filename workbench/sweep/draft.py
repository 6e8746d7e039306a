"""A question before it becomes a sweep: is there anything to try, not too much, and does it fit together?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError
from workbench.datasets import Dataset
from workbench.sweep.estimate import guess_of_many
from workbench.sweep.plan import grid
from workbench.sweep.question import base_of
from workbench.train.fit import train_settings

if TYPE_CHECKING:
    from workbench.core.workspace import Workspace
    from workbench.sweep.settings import SweepSettings
    from workbench.sweep.space import Space

MOST_POINTS = 1000


@dataclass(frozen=True)
class Draft:
    """A question that may become a sweep.

    Attributes:
        asked: As it will be written.
        space: Its space.
        settings: Its settings.
        workspace: Where it will lie.
    """

    asked: dict[str, Any]
    space: Space
    settings: SweepSettings
    workspace: Workspace

    def require_size(self, *, confirm: bool) -> None:
        """Refuse what is empty or, without a yes, too large; and settings that do not fit together.

        Raises:
            BadInputError: It is one of these.
        """
        space, settings = self.space, self.settings
        seeds = max(1, len(settings.seeds))
        count = settings.trials * seeds if settings.search == "optuna" else space.count(seeds)
        if not space.axes and len(space.chains) == 1 and not space.chains[0] and space.train is None:
            raise BadInputError.of(
                "space", rule="must have a chain, an axis or train settings", got=self.asked["space"],
                hint="give it something to try",
            )  # fmt: skip
        if count > MOST_POINTS and not confirm:
            raise BadInputError.of(
                "space", rule=f"must have at most {MOST_POINTS:,} points unless confirmed", got=count,
                hint=f"that is {count:,} points and {guess_of_many(count)}; make it smaller, search with optuna, or "
                "say confirm=True (--yes)",
            )  # fmt: skip
        if settings.search == "grid":
            self._require_fitting()

    def _require_fitting(self) -> None:
        plans = grid(self.space, base_of(self.asked), self.settings.seeds)
        trainings = {repr(plan.train): plan.train for plan in plans if plan.train is not None}
        data = Dataset.open_spec(self.asked["dataset"], self.workspace)
        for training in trainings.values():
            train_settings(data, **training)
