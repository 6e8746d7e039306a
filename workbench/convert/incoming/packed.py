"""Our own packed files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.convert.incoming.base import Arrival, Brought, Incoming, kind_of
from workbench.core.errors import BadInputError
from workbench.evaluate.packing import unpack
from workbench.evaluate.packing.frame import MAGIC

if TYPE_CHECKING:
    from pathlib import Path


class PackedIncoming(Incoming):
    """Is unpacked, and what is inside is brought in."""

    described: ClassVar[str] = "a .packed file"
    ending: ClassVar[str] = ".packed"

    @classmethod
    def matches(cls, path: Path, start: bytes) -> bool:
        """Say whether it starts as a packed file."""
        del path
        return start.startswith(MAGIC)

    def examine(self, arrival: Arrival) -> Any:
        """Examine what is inside."""
        unit, inside = _unpacked(arrival)
        return unit().examine(inside)

    def bring_in(self, arrival: Arrival) -> Brought:
        """Bring in what is inside."""
        unit, inside = _unpacked(arrival)
        brought = unit().bring_in(inside)
        return replace(brought, settings={**brought.settings, "packed": True})


def _unpacked(arrival: Arrival) -> tuple[type[Incoming], Arrival]:
    draft = arrival.path.with_suffix(".inside")
    draft.write_bytes(unpack(arrival.path.read_bytes()))
    unit = kind_of(draft)
    if unit is PackedIncoming:
        raise BadInputError.of(str(arrival.path), rule="must hold a model", got="another packed file")
    return unit, replace(arrival, path=draft.rename(draft.with_suffix(unit.ending)))
