"""Arguments of verbs that no `Settings` declare, checked with the same sentences."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError


def require_artifact(value: Any, parameter: str = "artifact") -> Artifact:
    """Return what must be an artifact.

    Raises:
        BadInputError: It is something else, such as the path of one.
    """
    if not isinstance(value, Artifact):
        raise BadInputError.of(
            parameter, rule="must be an Artifact", got=value,
            hint="load a folder with Artifact.load, or bring in a model of your own with workbench.adopt",
        )  # fmt: skip
    return value


def require_whole(parameter: str, value: Any, *, least: int, most: int | None = None) -> int:
    """Return what must be a whole number in a range.

    Raises:
        BadInputError: It is none, or outside.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise BadInputError.of(parameter, rule="must be a whole number", got=value)
    if value < least:
        raise BadInputError.of(parameter, rule=f"must be at least {least}", got=value)
    if most is not None and value > most:
        raise BadInputError.of(parameter, rule=f"must be at most {most:,}", got=value)
    return int(value)


def require_flag(parameter: str, value: Any) -> bool:
    """Return what must be True or False; words such as "no" count as neither.

    Raises:
        BadInputError: It is something else.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise BadInputError.of(parameter, rule="must be True or False", got=value)
    return bool(value)


def require_callable(parameter: str, value: Any) -> None:
    """Refuse what cannot be called.

    Raises:
        BadInputError: It is no function.
    """
    if not callable(value):
        raise BadInputError.of(parameter, rule="must be a function", got=value)
