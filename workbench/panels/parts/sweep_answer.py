"""What a sweep's points say to the limits of the moment: the frontier, the best, who is beyond."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import Field

from workbench.core.errors import BadInputError
from workbench.core.language import N_, _
from workbench.core.settings import Settings
from workbench.sweep.constraint import meets, nearest_sentence, parse
from workbench.sweep.metrics import METRICS, losses, shown, shown_with_interval, value_of
from workbench.sweep.pareto import frontier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.core.records import Constraint, SweepPoint

FIGURES = ("accuracy", "drop", "gzip", "packed", "raw", "p50_ms", "p95_ms", "sparsity")
# What the map says itself; it is translated where the map is drawn.
MAP_WORDS = (
    N_("beyond a limit"), N_("measured"), N_("frontier"), N_("best within the limits"), N_("Accuracy against cost"),
    N_("accuracy, %"), N_("kB, gzip'd"), N_("kB, packed"), N_("kB, the file itself"), N_("latency, p95, ms"),
)  # fmt: skip


class View(Settings):
    """How points are looked at."""

    x: Literal["gzip", "packed", "raw", "p95_ms"] = Field(
        default="gzip", description="what accuracy is weighed against"
    )
    size: float | None = Field(default=None, gt=0, description="largest file, kB; gzip'd unless another size is drawn")
    latency: float | None = Field(default=None, gt=0, description="slowest of 95 in 100 calls, milliseconds")
    accuracy: float | None = Field(default=None, ge=0, le=100, description="least accuracy, percent")

    @property
    def measure(self) -> str:
        """Which size is limited: the one that is drawn, else the gzip'd one."""
        return self.x if self.x != "p95_ms" else "gzip"

    @property
    def limits(self) -> tuple[Constraint, ...]:
        """The budget as constraints."""
        asked = [
            None if self.size is None else f"{self.measure} <= {self.size:.12g} kB",
            None if self.latency is None else f"p95_ms <= {self.latency:.12g} ms",
            None if self.accuracy is None else f"accuracy >= {self.accuracy:.12g} %",
        ]
        return tuple(parse(text) for text in asked if text is not None)


class Answer(NamedTuple):
    """What is drawn and said.

    Attributes:
        figure: Plotly's JSON.
        summary: One line.
        rows: Of the table behind the figure.
        best: The best point within the limits.
        sentence: What is said where nothing keeps them.
        limited: Whether there are limits.
    """

    figure: str
    summary: str
    rows: list[dict[str, Any]]
    best: SweepPoint | None
    sentence: str
    limited: bool


def answer(points: Sequence[SweepPoint], view: View, marked: Mapping[str, str]) -> Answer:
    """Weigh points under a view; imports plotly, so call it in the background.

    Args:
        points: Of a sweep.
        view: What is drawn, and the limits.
        marked: Letters by key.
    """
    from workbench.figures.sweep_map import sweep_map

    measured = [point for point in points if value_of(point, view.x) is not None]
    within = [point for point in measured if meets(point, view.limits)]
    members = frontier(within, ("accuracy", view.x))
    best = _best(within, view.x)
    chosen = {member.configuration for member in members}
    kept = {point.key for point in within}
    figure = sweep_map(
        measured, tuple(chosen), x=view.x, marked=marked, best=best.key if best and view.limits else None,
        beyond=tuple(point.configuration for point in measured if point.key not in kept),
        limits={limit.metric: limit.limit for limit in view.limits}, say=_,
    )  # fmt: skip
    rows = [
        {"label": point.label, "frontier": "✓" if point.configuration in chosen and point.key in kept else "",
         "custom": point.key, **{name: shown(point, name) for name in FIGURES}}
        for point in sorted(measured, key=lambda point: -(value_of(point, "accuracy") or 0))
    ]  # fmt: skip
    sentence = nearest_sentence(measured, view.limits) if measured and view.limits and not within else ""
    return Answer(str(figure.to_json()), _summary(measured, members, view.x), rows, best, sentence, bool(view.limits))


def columns() -> list[dict[str, Any]]:
    """Return the columns of the table behind the figure."""
    return [
        {"name": "label", "label": _("Point")},
        {"name": "frontier", "label": _("Frontier")},
        *({"name": name, "label": label} for name, label in figure_names().items()),
    ]


def figure_names() -> dict[str, str]:
    """Return what people call the figures of a point."""
    return {
        "accuracy": _("Accuracy"), "drop": _("Drop"), "gzip": _("Size, gzip'd"), "packed": _("Size, packed"),
        "raw": _("Size of the file"), "p50_ms": _("Latency, p50"), "p95_ms": _("Latency, p95"),
        "sparsity": _("Sparsity"),
    }  # fmt: skip


def tiles(point: SweepPoint | None, *, limited: bool) -> list[dict[str, str]]:
    """Return the figures of the best point as tiles."""
    if point is None or point.variant is None:
        return []
    interval = shown_with_interval(point, "accuracy")
    noise = (
        "" if point.noise is None else _("± {share} % between two runs").format(share=f"{100 * point.noise.p95:.0f}")
    )
    return [
        {"label": _("Best within the limits") if limited else _("Most accurate"), "value": shown(point, "accuracy"),
         "detail": _("{interval}: {point}").format(interval=interval, point=point.label),
         "tooltip": _("Accuracy with its 95 % interval")},
        {"label": _("Size, gzip'd"), "value": shown(point, "gzip"),
         "detail": _("{size} as a file").format(size=shown(point, "raw"))},
        {"label": _("Latency, p95"), "value": shown(point, "p95_ms"),
         "detail": "" if point.noise is None else noise.format(share=f"{100 * point.noise.p95:.0f}")},
    ]  # fmt: skip


def comparison(first: SweepPoint, second: SweepPoint) -> list[dict[str, Any]]:
    """Return one row a figure of two points: both, and by how much the second differs."""
    rows: list[dict[str, Any]] = []
    for name, label in figure_names().items():
        ours, theirs = value_of(first, name), value_of(second, name)
        row = {"figure": label, "a": shown_with_interval(first, name), "b": shown_with_interval(second, name)}
        rows.append({**row, "difference": _difference(name, ours, theirs)})
    axes = dict.fromkeys([*first.values, *second.values])
    different = [axis for axis in axes if first.values.get(axis) != second.values.get(axis)]
    asked = [
        {"figure": axis, "a": _said(first.values.get(axis)), "b": _said(second.values.get(axis)), "difference": ""}
        for axis in different
    ]
    return [*asked, *rows]


def read_view(values: Mapping[str, Any]) -> View | None:
    """Return the view that controls hold; None while a value breaks its rule."""
    try:
        return View.parse(dict(values))
    except BadInputError:
        return None


def _best(within: Sequence[SweepPoint], x: str) -> SweepPoint | None:
    # What is equally accurate is decided by its cost.
    return min(within, key=lambda point: losses(point, ("accuracy", x)) or (), default=None)


def _difference(name: str, ours: float | None, theirs: float | None) -> str:
    if ours is None or theirs is None:
        return "–"
    change = theirs - ours
    if name in ("accuracy", "drop", "sparsity"):
        return f"{_sign(change)}{abs(100 * change):.2f} pt"
    ratio = f" ({_sign(change)}{abs(100 * change / ours):.0f} %)" if ours else ""
    return f"{_sign(change)}{METRICS[name].show(abs(change))}{ratio}"


def _sign(value: float) -> str:
    return "+" if value >= 0 else "−"


def _said(value: Any) -> str:
    return "–" if value is None else str(value)


def _summary(measured: Sequence[SweepPoint], members: Sequence[Any], x: str) -> str:
    if not members:
        return _("{n} points, none of them within the limits").format(n=len(measured)) if measured else ""
    first, last = members[0], members[-1]
    if len(members) == 1:
        return _("{n} points; no other beats {accuracy} at {cost}").format(
            n=len(measured), accuracy=shown(first, "accuracy"), cost=shown(first, x)
        )
    return _("{n} points; the frontier goes from {low} at {cheap} to {high} at {dear}").format(
        n=len(measured), low=shown(last, "accuracy"), cheap=shown(last, x), high=shown(first, "accuracy"),
        dear=shown(first, x),
    )  # fmt: skip
