"""Let Optuna propose points; its study lies in the sweep's folder and goes on after any crash."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError
from workbench.sweep.constraint import excess, parse_all
from workbench.sweep.journal import importances, open_study, read_back, suggested, take_up, tried
from workbench.sweep.metrics import METRICS, losses, repeated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.core.records import SweepPoint
    from workbench.sweep.question import Question
    from workbench.sweep.settings import SweepSettings
    from workbench.sweep.space import Space

_CHAIN = "chain"
_FAR = 1e18


@dataclass(frozen=True)
class Proposal:
    """What Optuna wants to know: a chain's number and a value by axis.

    Attributes:
        number: Of the trial.
        chain: Which of the space's.
        values: By axis.
        trial: Optuna's.
    """

    number: int
    chain: int
    values: dict[str, Any]
    trial: Any = field(repr=False, compare=False)


@dataclass(frozen=True)
class PointProposer:
    """A multi-objective study of a space.

    Attributes:
        study: Optuna's.
        space: Where it searches.
        settings: Objectives, constraints, sampler.
    """

    study: Any
    space: Space
    settings: SweepSettings

    @classmethod
    def open(cls, asked: Question, *, reading: bool = False) -> PointProposer:
        """Open a sweep's study or begin it; what a killed process left half tried is proposed again.

        Args:
            asked: What the sweep was asked.
            reading: Leave the study as it is.

        Raises:
            MissingExtraError: Optuna is not installed.
        """
        settings = asked.settings
        directions = ["maximize" if METRICS[name].larger else "minimize" for name in settings.objectives]
        sampler = partial(_sampler, settings)
        study = open_study(
            asked.folder, sampler, seed=settings.sampler_seed, reading=reading, directions=directions
        )  # fmt: skip
        found = cls(study, asked.space, settings)
        if not reading:
            take_up(study)
        return found

    @property
    def left(self) -> int:
        """Configurations that are still to be tried."""
        return max(0, self.settings.trials - len(tried(self.study)))

    def ask(self) -> Proposal:
        """Return the next proposal."""
        trial = self.study.ask()
        chains = self.space.chains
        chain = trial.suggest_categorical(_CHAIN, list(range(len(chains)))) if len(chains) > 1 else 0
        values = {name: suggested(trial, name, axis) for name, axis in self.space.axes_of(chains[chain]).items()}
        return Proposal(trial.number, chain, values, trial)

    def tell(self, proposal: Proposal, points: Sequence[SweepPoint]) -> None:
        """Say what a proposal gave: the means over its seeds; a failed point makes the trial a pruned one."""
        from optuna.trial import TrialState

        measured = repeated(points)
        # Leaving steps out may make the seeds equal, never the configurations different.
        told = losses(measured[0], self.settings.objectives) if measured else None
        if told is None or any(point.state == "failed" for point in points):
            self.study.tell(proposal.trial, state=TrialState.PRUNED)
            return
        for limit in parse_all(self.settings.constraints):
            beyond = min(_FAR, excess(measured[0], limit) / (abs(limit.limit) or 1.0))
            proposal.trial.set_constraint(limit.text, beyond)
        signs = [-1 if METRICS[name].larger else 1 for name in self.settings.objectives]
        self.study.tell(proposal.trial, [sign * value for sign, value in zip(signs, told, strict=True)])

    def told(self) -> list[Proposal]:
        """Return the proposals whose points were told."""
        return [self._again(trial) for trial in tried(self.study)]

    def _again(self, trial: Any) -> Proposal:
        chain = trial.params.get(_CHAIN, 0)
        axes = self.space.axes_of(self.space.chains[chain])
        return Proposal(trial.number, chain, {name: read_back(trial, name, axis) for name, axis in axes.items()}, trial)

    def importance(self, metric: str) -> dict[str, float]:
        """Return Optuna's importance of each axis for one objective, largest first; they add up to 1.

        Raises:
            BadInputError: The metric is no objective of the search, or too little was tried.
        """
        if metric not in self.settings.objectives:
            raise BadInputError.of("metric", rule=f"must be one of {', '.join(self.settings.objectives)}", got=metric)
        which = self.settings.objectives.index(metric)
        return importances(self.study, lambda trial: float(trial.values[which]))


def _sampler(settings: SweepSettings, seed: int) -> Any:
    import optuna

    if settings.sampler == "nsga2":
        return optuna.samplers.NSGAIISampler(seed=seed)
    return optuna.samplers.TPESampler(seed=seed)
