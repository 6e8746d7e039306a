"""The map of formats: which way leads from a model to which, with which program, and how it went."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Literal

from workbench.core.records.base import Record

# pydantic reads this name when it builds the class.
from workbench.core.records.evaluation import Parity  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Iterable

EdgeStatus = Literal["untried", "running", "passed", "parity failed", "failed"]


class Edge(Record):
    """One way of making a format of another, on this machine.

    Attributes:
        source: Format and numeric type that it starts from, e.g. `tf_keras/float32`.
        target: The same of what it makes.
        tool: The program that does it.
        version: Version of the package that holds it; None where it is not installed.
        available: Whether it can be gone here, as far as can be said before it is tried.
        reason: Why not; a sentence, or nothing.
        alternative: What to do instead, or nothing.
        note: What the program is known for getting wrong, or nothing.
        status: How it went when it was last gone.
        error: What was said when it failed, or nothing.
        artifact: Folder of what it made.
        bytes: Of the file or directory that it made.
        seconds: That writing it took.
        parity: How far it answers like what it was made from.
    """

    source: str
    target: str
    tool: str
    version: str | None
    available: bool = True
    reason: str = ""
    alternative: str = ""
    note: str = ""
    status: EdgeStatus = "untried"
    error: str = ""
    artifact: str | None = None
    bytes: int | None = None
    seconds: float | None = None
    parity: Parity | None = None


class FormatMap(Record):
    """All ways that lead on from a model.

    Attributes:
        model: Name of the model.
        start: Its format and numeric type.
        sha256: Of its file; None for the map of any model of that format.
        edges: Those from the model itself first, then those from what they make, and so on.
    """

    model: str
    start: str
    sha256: str | None
    edges: tuple[Edge, ...]

    @property
    def direct(self) -> tuple[Edge, ...]:
        """The edges that start from the model itself."""
        return tuple(edge for edge in self.edges if edge.source == self.start)

    @property
    def closed(self) -> tuple[Edge, ...]:
        """The edges that cannot be gone here, each with its reason."""
        return tuple(edge for edge in self.edges if not edge.available)

    def reachable(self) -> tuple[str, ...]:
        """Return the formats that can be reached, in order of their distance."""
        return tuple(_first_ways(self.edges, self.start))

    def path(self, format: str, numeric: str = "float32") -> tuple[Edge, ...] | None:  # noqa: A002 - as everywhere
        """Return the shortest open way to a format; None where there is none, empty where the model is of it."""
        return shortest(self.edges, self.start, f"{format}/{numeric}")


def shortest(edges: Iterable[Edge], start: str, target: str) -> tuple[Edge, ...] | None:
    """Return the fewest open edges that lead from one label to another, of equally few the ones named first."""
    if start == target:
        return ()
    ways = _first_ways(edges, start)
    if target not in ways:
        return None
    path = [ways[target]]
    while path[0].source != start:
        path.insert(0, ways[path[0].source])
    return tuple(path)


def _first_ways(edges: Iterable[Edge], start: str) -> dict[str, Edge]:
    """Return each label that can be reached with the edge that reaches it first."""
    leading_on: dict[str, list[Edge]] = {}
    for edge in edges:
        # What failed when it was tried is no way either.
        if edge.available and edge.status not in ("failed", "parity failed"):
            leading_on.setdefault(edge.source, []).append(edge)
    found: dict[str, Edge] = {}
    waiting = deque([start])
    while waiting:
        for edge in leading_on.get(waiting.popleft(), ()):
            if edge.target not in found and edge.target != start:
                found[edge.target] = edge
                waiting.append(edge.target)
    return found
