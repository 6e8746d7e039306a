"""Labels of a model's versions: `labels.json`, which servers read without a lock."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workbench.core.errors import BadInputError, WorkspaceError
from workbench.core.workspace import read_json

if TYPE_CHECKING:
    from pathlib import Path

LABELS = "labels.json"
STABLE = "stable"
CANARY = "canary"

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
    found = read_json(path)
    if not isinstance(found, dict) or not all(type(version) is int for version in found.values()):
        raise WorkspaceError(f"{path} must map labels to version numbers, got something else; delete it.")
    return found
