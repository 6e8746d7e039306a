"""Errors that say one clear thing.

Every message names the parameter, the rule, the value got and the next step. Errors cross processes as
plain dictionaries (`to_dict` / `from_dict`), never as pickles.
"""

from __future__ import annotations

from typing import Any, ClassVar


class WorkbenchError(Exception):
    """Base of all errors a user is meant to read; `exit_code` is what the command line ends with."""

    exit_code: ClassVar[int] = 2

    def __init__(self, *said: object) -> None:
        # Names in damaged files may hold halves of characters, which no terminal and no file of ours takes.
        super().__init__(
            *(each.encode(errors="backslashreplace").decode() if isinstance(each, str) else each for each in said)
        )

    def to_dict(self) -> dict[str, str]:
        """Return the error as text that another process can read."""
        return {"type": type(self).__name__, "message": str(self)}


class BadInputError(WorkbenchError):
    """A value that a person gave breaks a declared rule."""

    @classmethod
    def of(cls, parameter: str, *, rule: str, got: Any, hint: str = "") -> BadInputError:
        """Build the sentence from its four parts.

        Args:
            parameter: Name of the setting, key, file or index at fault.
            rule: What must hold, starting with a verb ("must be below 1").
            got: The value that broke the rule.
            hint: The next step, as an imperative.
        """
        shown = repr(got)
        if len(shown) > _LONGEST_SHOWN:
            shown = shown[: _LONGEST_SHOWN - 1] + "…"
        return cls(f"{parameter} {rule}, got {shown}" + (f"; {hint}" if hint else "") + ".")


class MissingExtraError(WorkbenchError):
    """A package of an optional extra is needed here; the message carries the exact pip line."""

    @classmethod
    def of(cls, what: str, package: str, extra: str) -> MissingExtraError:
        """Say what needs which package and how to install it."""
        return cls(f"{what} needs {package}, which is not installed; run: pip install 'lastmile-workbench[{extra}]'.")


class UntrustedModelError(BadInputError):
    """A model file would run code of its own (Lambda layer, pickle) and nobody vouched for it."""


class ParityError(WorkbenchError):
    """A converted model does not answer like its source."""

    exit_code = 1


class GateFailedError(WorkbenchError):
    """A model did not pass its gate."""

    exit_code = 1


class WorkspaceError(WorkbenchError):
    """The workspace cannot be read or written (disk full, read-only, no permission)."""


class JobFailedError(WorkbenchError):
    """A job ended with an error of its own; the traceback is in the run folder."""

    exit_code = 3


class JobCancelledError(WorkbenchError):
    """A job was cancelled."""

    exit_code = 130


class JobPausedError(WorkbenchError):
    """A job was paused; it can be resumed."""

    exit_code = 3


class JobLostError(WorkbenchError):
    """The process that ran a job is gone without a word; the job can be resumed."""

    exit_code = 3


class ServingError(WorkbenchError):
    """The serving sandbox could not start or answer."""

    exit_code = 3


_LONGEST_SHOWN = 120
_KINDS: dict[str, type[WorkbenchError]] = {
    kind.__name__: kind
    for kind in (
        WorkbenchError,
        BadInputError,
        MissingExtraError,
        UntrustedModelError,
        ParityError,
        GateFailedError,
        WorkspaceError,
        JobFailedError,
        JobCancelledError,
        JobPausedError,
        JobLostError,
        ServingError,
    )
}


def from_dict(data: dict[str, str]) -> WorkbenchError:
    """Rebuild an error that another process wrote; an unknown kind becomes `JobFailedError`."""
    return _KINDS.get(data.get("type", ""), JobFailedError)(data.get("message", "unknown error"))
