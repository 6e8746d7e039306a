"""Where a label goes back to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from workbench.core.records.store import StoreChange


def meant(history: Iterable[StoreChange], label: str) -> list[int]:
    """Return the versions that a label has meant, the latest last; those deleted since are left out."""
    found: list[tuple[int, int]] = []
    deleted: dict[int, int] = {}
    for at, each in enumerate(history):
        if each.action == "delete":
            deleted[each.version] = at
        elif each.label == label:
            found += [(at, version) for version in (each.previous, each.version) if version is not None]
    return [version for at, version in found if at > deleted.get(version, -1)]


def back_from(history: Iterable[StoreChange], label: str, current: int | None, known: Collection[int]) -> int | None:
    """Return the version that a label meant last before the one it means now; None where there is none any more."""
    before = reversed(meant(history, label))
    return next((version for version in before if version != current and version in known), None)
