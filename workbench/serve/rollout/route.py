"""Where a model's requests go that name no version: what every worker is told."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from pydantic import Field

from workbench.core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.serve.servable import Servable

_WHOLE = 1 << 64
_GOLDEN = 0.6180339887498949
"""Multiples of it are spread evenly over [0, 1), and so are any of them at equal distances (Weyl)."""


class Route(Settings):
    """A rollout that runs, or what one that ended leaves: the version that answers until a newer one is published.

    Without it the newest version answers, so that a version that was refused would be back at once.
    """

    stable: int = Field(ge=0, description="version that answers")
    canary: int | None = Field(default=None, ge=0, description="version that is tried; none where no rollout runs")
    percent: float = Field(default=0.0, ge=0, le=100, description="its share of the requests")
    shadow: bool = Field(default=False, description="it gets copies only")
    sticky: str = Field(default="x-client-id", description="header whose sender stays with one version")
    pairs_percent: float = Field(default=0.0, ge=0, le=100, description="share of the requests that both answer")
    until: int | None = Field(default=None, ge=0, description="newest version known at the end; a newer one answers")

    def usual(self, versions: Mapping[int, Servable], newest: Servable | None) -> Servable | None:
        """Return the version that answers who names none and is not the canary's.

        Args:
            versions: Those that are held.
            newest: The newest that answers; it does where the stable version does not any more.
        """
        if newest is None or (self.until is not None and newest.version > self.until):
            return newest
        stable = versions.get(self.stable)
        return stable if stable is not None and stable.state == "AVAILABLE" else newest

    def picks_canary(self, key: str, turn: int) -> bool:
        """Tell whether a request is the canary's.

        Args:
            key: Its client's sticky key: the same one is always answered alike, and stays with the canary when its
                share grows; empty where it has none.
            turn: Number of the request, of those without a key.
        """
        if not key:
            return is_turn(turn, self.percent)
        digest = blake2b(f"{self.canary}\0{key}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) < self.percent / 100 * _WHOLE


def is_turn(turn: int, percent: float) -> bool:
    """Tell whether the request of a number is of a share that is spread evenly over all."""
    return (turn * _GOLDEN) % 1 < percent / 100
