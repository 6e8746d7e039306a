"""Optuna's study in a sweep's folder: what searches of points and searches of trainings have in common."""

from __future__ import annotations

import json
import os
import warnings
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError, MissingExtraError, WorkspaceError
from workbench.core.workspace import writing
from workbench.sweep.axes import Range

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.sweep.folder import SweepFolder

_PLAIN = (bool, int, float, str, type(None))


def open_study(folder: SweepFolder, sampler: Callable[[int], Any], *, seed: int, reading: bool, **how: Any) -> Any:
    """Open the study that lies in a sweep's folder, or begin it.

    Args:
        folder: The sweep's.
        sampler: Makes Optuna's sampler from a seed.
        seed: Of the first proposal.
        reading: Leave the file as it is.
        **how: `direction` or `directions`, as Optuna takes them.

    Raises:
        BadInputError: There is nothing to read yet.
        MissingExtraError: Optuna is not installed.
        WorkspaceError: The file is damaged.
    """
    try:
        import optuna
    except ImportError as error:
        raise MissingExtraError.of("A search", "optuna", "train") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if reading and not folder.journal.is_file():
        raise BadInputError(f"{folder.name} needs more finished trials: none was begun.")
    _require_whole(folder.journal, mend=not reading)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the journal is called experimental
        backend = optuna.storages.journal.JournalFileBackend(str(folder.journal))
        try:
            storage = optuna.storages.JournalStorage(backend)
            # To create a study that is there already writes a line too.
            study = (
                optuna.load_study(study_name=folder.name, storage=storage)
                if reading
                else optuna.create_study(study_name=folder.name, storage=storage, load_if_exists=True, **how)
            )
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, AssertionError) as error:
            raise _damaged(folder.journal, f"{type(error).__name__}: {error}") from error
        # A sampler that began with the same seed again would propose once more what was tried before the crash.
        study.sampler = sampler(seed + len(study.get_trials(deepcopy=False)))
    return study


def _require_whole(path: Path, *, mend: bool) -> None:
    """Refuse a journal with lines that are none of Optuna's; half a line of a killed writer is taken off.

    Optuna numbers trials by their lines, so no other line can be left out.

    Raises:
        WorkspaceError: A line cannot be read.
    """
    if not path.is_file():
        return
    lines = path.read_bytes().split(b"\n")
    half = lines.pop()
    for number, line in enumerate(lines, 1):
        if not _is_entry(line):
            raise _damaged(path, f"line {number} is none of Optuna's")
    if half and mend:
        # Optuna would write behind it, and could read neither line then.
        with writing(path):
            os.truncate(path, path.stat().st_size - len(half))


def _is_entry(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _damaged(path: Path, why: str) -> WorkspaceError:
    return WorkspaceError(
        f"{path} is damaged ({why}); delete it and resume: what is measured stays, and Optuna proposes anew."
    )


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


def read_back(trial: Any, name: str, axis: Any) -> Any:
    """Return the value that a trial was given by `suggested`."""
    value = trial.params[name]
    if isinstance(axis, Range) or all(isinstance(each, _PLAIN) for each in axis):
        return value
    return axis[value]


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
