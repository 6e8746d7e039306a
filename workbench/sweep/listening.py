"""Who listens to a driving run: to its events, and to its points alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.core.records import SweepPoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.core.events import Event


def telling(
    on_point: Callable[[SweepPoint], object] | None, on_event: Callable[[Event], object] | None
) -> Callable[[Event], None]:
    """Return a listener to a driving run that tells one of every event and one of points."""

    def tell(event: Event) -> None:
        if on_event is not None:
            on_event(event)
        if on_point is not None and event.type == "point":
            on_point(SweepPoint.from_json(event.data["point"]))

    return tell
