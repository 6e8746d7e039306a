"""Labels of a model's versions: `labels.json`, which servers read without a lock."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from workbench.core.errors import BadInputError, WorkspaceError

if TYPE_CHECKING:
    from pathlib import Path

LABELS = "labels.json"
STABLE = "stable"
CANARY = "canary"

_MEND = "delete it and label anew: `workbench store history` says what they meant."
_LABEL = re.compile(r"[A-Za-z0-9_]+")


def check_label(label: str) -> None:
    """Refuse what no version may be called.

    Raises:
        BadInputError: It has other signs than letters, digits and `_`.
    """
    if not _LABEL.fullmatch(label):
        raise BadInputError.of("label", rule="must be made of letters, digits and _", got=label)


def read_labels(folder: Path) -> dict[str, int]:
    """Return the labels in a model's folder and the versions they mean.

    Raises:
        WorkspaceError: The file that holds them is damaged.
    """
    path = folder / LABELS
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise WorkspaceError(f"{path} cannot be read ({error}); {_MEND}") from error
    if not isinstance(found, dict) or not all(type(version) is int for version in found.values()):
        raise WorkspaceError(f"{path} must map labels to version numbers, got something else; {_MEND}")
    return found
