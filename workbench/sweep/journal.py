"""Optuna's study in a sweep's folder: what searches of points and searches of trainings have in common."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError, MissingExtraError
from workbench.sweep.axes import Range

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.sweep.folder import SweepFolder

_PLAIN = (bool, int, float, str, type(None))


def open_study(folder: SweepFolder, sampler: Callable[[int], Any], *, seed: int, **how: Any) -> Any:
    """Open the study that lies in a sweep's folder, or begin it.

    Args:
        folder: The sweep's.
        sampler: Makes Optuna's sampler from a seed.
        seed: Of the first proposal.
        **how: `direction` or `directions`, as Optuna takes them.

    Raises:
        MissingExtraError: Optuna is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise MissingExtraError.of("A search", "optuna", "train") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the journal and constraints are called experimental
        backend = optuna.storages.journal.JournalFileBackend(str(folder.journal))
        study = optuna.create_study(
            study_name=folder.name, storage=optuna.storages.JournalStorage(backend), load_if_exists=True, **how
        )
        # A sampler that began with the same seed again would propose once more what was tried before the crash.
        study.sampler = sampler(seed + len(study.get_trials(deepcopy=False)))
    return study


def take_up(study: Any) -> None:
    """Let a study propose again what a killed process left half tried."""
    from optuna.trial import TrialState

    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        if trial.params:
            study.enqueue_trial(trial.params)


def tried(study: Any) -> list[Any]:
    """Return the trials that were ended by whoever began them; one that failed was under way in a killed process."""
    from optuna.trial import TrialState

    found: list[Any] = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    return found


def suggested(trial: Any, name: str, axis: Any) -> Any:
    """Ask Optuna for a value on an axis: a `Range` or a sequence."""
    if isinstance(axis, Range):
        if axis.whole:
            return trial.suggest_int(name, int(axis.low), int(axis.high), log=axis.log)
        return trial.suggest_float(name, axis.low, axis.high, log=axis.log)
    if all(isinstance(value, _PLAIN) for value in axis):
        return trial.suggest_categorical(name, list(axis))
    return axis[trial.suggest_categorical(name, list(range(len(axis))))]


def importances(study: Any, target: Callable[[Any], float] | None = None) -> dict[str, float]:
    """Return the share of each axis in what was told, largest first; they add up to 1.

    Args:
        study: Optuna's.
        target: Picks one of several objectives of a trial.

    Raises:
        BadInputError: Too few trials were finished.
    """
    import optuna

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = optuna.importance.get_param_importances(study, target=target)
    except (ValueError, RuntimeError) as error:
        raise BadInputError(f"The importance of axes needs more finished trials ({error}).") from error
    if not found:
        raise BadInputError("The importance of axes needs more finished trials.")
    return {name: float(share) for name, share in found.items()}
