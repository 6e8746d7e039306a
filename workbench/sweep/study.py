"""Optuna's study of trainings: one objective, intermediate values, and a pruner; it lies in the search's folder."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError, MissingExtraError
from workbench.sweep.axes import Range

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.sweep.tuned import Tuned

# A slow beginning is forgiven for one epoch; before there is a median, nothing is compared.
_FIRST_TRIALS, _FIRST_EPOCHS = 4, 2
_COUNTS = "counts"


@dataclass(frozen=True)
class Study:
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
    def open(cls, tuned: Tuned, *, reading: bool = False) -> Study:
        """Open a search's study or begin it; what a killed process left half tried is proposed again.

        Args:
            tuned: The search.
            reading: Leave the study as it is.

        Raises:
            MissingExtraError: Optuna is not installed.
        """
        try:
            import optuna
        except ImportError as error:
            raise MissingExtraError.of("search", "optuna", "train") from error
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        settings = tuned.tuning
        median = optuna.pruners.MedianPruner(n_startup_trials=_FIRST_TRIALS, n_warmup_steps=_FIRST_EPOCHS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the journal is called experimental
            backend = optuna.storages.journal.JournalFileBackend(str(tuned.folder.journal))
            study = optuna.create_study(
                study_name=tuned.name, storage=optuna.storages.JournalStorage(backend), load_if_exists=True,
                direction="maximize",
                pruner=median if settings.pruner else optuna.pruners.NopPruner(),
            )  # fmt: skip
            # A sampler that began with the same seed again would propose once more what was tried before the crash.
            study.sampler = optuna.samplers.TPESampler(seed=settings.seed + len(study.get_trials(deepcopy=False)))
        found = cls(study, tuned.axes, settings.trials)
        if not reading:
            found._take_up()
        return found

    @property
    def left(self) -> int:
        """Trials that are still to be ended; those under way are among them, those that were refused do not count."""
        from optuna.trial import TrialState

        # One that failed was under way in a process that was killed, perhaps between its mark and its end.
        ended = self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
        return max(0, self.trials - sum(bool(trial.user_attrs.get(_COUNTS)) for trial in ended))

    @property
    def asked(self) -> int:
        """Proposals so far."""
        return len(self.study.get_trials(deepcopy=False))

    def ask(self) -> tuple[Any, dict[str, Any]]:
        """Return the next trial and its value by axis."""
        trial = self.study.ask()
        return trial, {name: _suggested(trial, name, axis) for name, axis in self.axes.items()}

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
        import optuna

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = optuna.importance.get_param_importances(self.study)
        except (ValueError, RuntimeError) as error:
            raise BadInputError(f"The importance of axes needs more finished trials ({error}).") from error
        return {name: float(share) for name, share in found.items()}

    def _take_up(self) -> None:
        from optuna.trial import TrialState

        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            self.study.tell(trial.number, state=TrialState.FAIL)
            if trial.params:
                self.study.enqueue_trial(trial.params)


def _suggested(trial: Any, name: str, axis: Any) -> Any:
    if not isinstance(axis, Range):
        return trial.suggest_categorical(name, list(axis))
    if axis.whole:
        return trial.suggest_int(name, int(axis.low), int(axis.high), log=axis.log)
    return trial.suggest_float(name, axis.low, axis.high, log=axis.log)
