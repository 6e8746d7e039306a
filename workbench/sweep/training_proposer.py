"""Optuna's study of trainings: one objective, intermediate values, and a pruner; it lies in the search's folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.sweep.journal import importances, open_study, read_back, suggested, take_up, tried

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.sweep.folder import SweepFolder
    from workbench.train.search import SearchSettings

# A slow beginning is forgiven for one epoch; before there is a median, nothing is compared.
_FIRST_TRIALS, _FIRST_EPOCHS = 4, 2
_COUNTS = "counts"


@dataclass(frozen=True)
class TrainingProposer:
    """Proposals and what became of them.

    Attributes:
        study: Optuna's.
        axes: Values by axis, or a `Range`.
        trials: How many trainings are begun in all.
    """

    study: Any
    axes: Mapping[str, Any]
    trials: int

    @classmethod
    def open(
        cls, folder: SweepFolder, settings: SearchSettings, axes: Mapping[str, Any], *, reading: bool = False
    ) -> TrainingProposer:
        """Open a search's study or begin it; what a killed process left half tried is proposed again.

        Args:
            folder: The search's.
            settings: How it searches.
            axes: What it varies.
            reading: Leave the study as it is.

        Raises:
            MissingExtraError: Optuna is not installed.
        """
        study = open_study(folder, _sampler, seed=settings.seed, reading=reading, direction="maximize")
        study.pruner = _pruner(asked=settings.pruner)
        found = cls(study, axes, settings.trials)
        if not reading:
            take_up(study)
        return found

    @property
    def left(self) -> int:
        """Trials that are still to be ended; those under way are among them, those that were refused do not count."""
        return max(0, self.trials - sum(bool(trial.user_attrs.get(_COUNTS)) for trial in tried(self.study)))

    @property
    def asked(self) -> int:
        """Proposals so far."""
        return len(self.study.get_trials(deepcopy=False))

    def ask(self) -> tuple[Any, dict[str, Any]]:
        """Return the next trial and its value by axis."""
        trial = self.study.ask()
        return trial, {name: suggested(trial, name, axis) for name, axis in self.axes.items()}

    def told(self) -> list[tuple[Any, dict[str, Any]]]:
        """Return the trials that were told, each with its value by axis."""
        return [
            (trial, {name: read_back(trial, name, axis) for name, axis in self.axes.items()})
            for trial in tried(self.study)
        ]

    def tell(self, trial: Any, accuracy: float | None, *, counts: bool) -> None:
        """Say how a trial ended.

        Args:
            trial: What `ask` gave.
            accuracy: On the validation split, in [0, 1]; None where it was refused, ended early or failed, which to
                Optuna is worse than any accuracy.
            counts: Whether a training was begun for it.
        """
        from optuna.trial import TrialState

        trial.set_user_attr(_COUNTS, counts)
        if accuracy is None:
            self.study.tell(trial, state=TrialState.PRUNED)
        else:
            self.study.tell(trial, accuracy)

    def importance(self) -> dict[str, float]:
        """Return the share of each axis in the accuracy, largest first; they add up to 1.

        Raises:
            BadInputError: Too few trials were finished.
        """
        return importances(self.study)


def _sampler(seed: int) -> Any:
    import optuna

    return optuna.samplers.TPESampler(seed=seed)


def _pruner(*, asked: bool) -> Any:
    import optuna

    if not asked:
        return optuna.pruners.NopPruner()
    return optuna.pruners.MedianPruner(n_startup_trials=_FIRST_TRIALS, n_warmup_steps=_FIRST_EPOCHS)
