"""The order in which versions come and go: TensorFlow Serving's AvailabilityPreservingPolicy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet


@dataclass(frozen=True)
class Step:
    """One thing to do."""

    do: Literal["load", "unload"]
    version: int


def next_step(wanted: AbstractSet[int], serving: AbstractSet[int], loadable: AbstractSet[int]) -> Step | None:
    """Return what brings a model nearer to the versions wanted without ever leaving it without one.

    A version goes, the lowest first, as soon as one that is wanted answers; else one comes, the highest first.

    Args:
        wanted: Versions that are to be served.
        serving: Versions that answer now.
        loadable: Versions that may be loaded now: new ones, and those whose next try is due.
    """
    leaving = serving - wanted
    if leaving and (not wanted or wanted & serving):
        return Step("unload", min(leaving))
    coming = (wanted & loadable) - serving
    return Step("load", max(coming)) if coming else None
