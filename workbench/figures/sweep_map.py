"""A sweep's points where people look for the best one: limits as lines, the frontier joined, one point lit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.figures.style import BLUE, ORANGE, RED, Theme, styled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import plotly.graph_objects as go

    from workbench.core.records import SweepPoint, Variant

_GREY = "#8a94a3"
_AXES = {
    "gzip": "kB, gzip'd", "packed": "kB, packed", "raw": "kB, the file itself",
    "p95_ms": "latency, p95, ms",
}  # fmt: skip
_THOUSAND = 1000


class _Look(NamedTuple):
    name: str
    colour: str
    size: int
    symbol: str = "circle"
    joined: bool = False


_LOOKS = (
    _Look("beyond a limit", _GREY, 7, "circle-open"),
    _Look("measured", ORANGE, 8),
    _Look("frontier", BLUE, 10, joined=True),
)


def sweep_map(  # noqa: PLR0913 - what is drawn, by what, and what is marked in it
    points: Sequence[SweepPoint],
    members: Sequence[str] = (),
    *,
    x: str = "gzip",
    beyond: Sequence[str] = (),
    limits: Mapping[str, float] | None = None,
    best: str | None = None,
    marked: Mapping[str, str] | None = None,
    say: Callable[[str], str] = str,
    theme: Theme = "light",
) -> go.Figure:
    """Draw accuracy with its interval against what it costs; each point carries its key as `customdata`.

    Args:
        points: Points of a sweep, under way or done; those without the cost are left out.
        members: Configurations that no other beats; they are joined.
        x: The cost: `gzip`, `packed` or `raw` bytes, or `p95_ms`.
        beyond: Configurations that break a limit; they are hollow.
        limits: Where lines are drawn: `accuracy` as a share, the cost in its own unit.
        best: Key of the point that is lit.
        marked: Letters by key.
        say: Gives the figure's own words in the reader's language.
        theme: Of the page.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    placed = [(each, cost) for each in points if (cost := _cost(each.variant, x)) is not None]
    groups: dict[str, list[tuple[SweepPoint, float]]] = {look.name: [] for look in _LOOKS}
    for each, cost in sorted(placed, key=lambda pair: pair[1]):
        hollow, chosen = each.configuration in beyond, each.configuration in members
        groups[_LOOKS[0 if hollow else 2 if chosen else 1].name].append((each, cost))
    for look in _LOOKS:
        if groups[look.name]:
            figure.add_scatter(**_trace(look, groups[look.name], x, say))
    _mark(figure, placed, best, marked or {}, say)
    _draw_limits(figure, limits or {}, x)
    styled(figure, theme, title=say("Accuracy against cost"), height=420)
    figure.update_layout(dragmode="select", clickmode="event", showlegend=True, uirevision=x)
    figure.update_xaxes(title_text=say(_AXES[x]), rangemode="tozero")
    figure.update_yaxes(title_text=say("accuracy, %"))
    return figure


def _cost(variant: Variant | None, x: str) -> float | None:
    if variant is None:
        return None
    if x == "p95_ms":
        return variant.latency.p95_ms if variant.latency is not None else None
    size = getattr(variant.sizes, x)
    return None if size is None else size / _THOUSAND


def _trace(look: _Look, rows: list[tuple[SweepPoint, float]], x: str, say: Callable[[str], str]) -> dict[str, Any]:
    shares = [each.variant.accuracy for each, _cost_of in rows if each.variant is not None]
    return {
        "x": [cost for _each, cost in rows],
        "y": [100 * share.value for share in shares],
        "error_y": {
            "array": [100 * (share.high - share.value) for share in shares],
            "arrayminus": [100 * (share.value - share.low) for share in shares],
            "width": 2, "thickness": 1,
        },
        "text": [each.label for each, _cost_of in rows],
        "customdata": [each.key for each, _cost_of in rows],
        "mode": "lines+markers" if look.joined else "markers",
        "line": {"width": 1.5, "shape": "hv"},
        "marker": {"color": look.colour, "size": look.size, "symbol": look.symbol},
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 0.35}},
        "name": say(look.name),
        "hovertemplate": (
            f"%{{text}}<br>{say(_AXES[x])}: %{{x:.3~g}}<br>{say('accuracy, %')}: %{{y:.2f}}<extra></extra>"
        ),
    }  # fmt: skip


def _mark(
    figure: go.Figure,
    placed: list[tuple[SweepPoint, float]],
    best: str | None,
    marked: Mapping[str, str],
    say: Callable[[str], str],
) -> None:
    for each, cost in placed:
        if each.variant is None:
            continue
        y = 100 * each.variant.accuracy.value
        if each.key == best:
            figure.add_scatter(
                x=[cost], y=[y], mode="markers", name=say("best within the limits"), customdata=[each.key],
                marker={"color": RED, "size": 18, "symbol": "star-open", "line": {"width": 2}}, hoverinfo="skip",
            )  # fmt: skip
        if each.key in marked:
            figure.add_annotation(
                x=cost, y=y, text=f"<b>{marked[each.key]}</b>", showarrow=True, arrowhead=0, ax=-18, ay=-22
            )


def _draw_limits(figure: go.Figure, limits: Mapping[str, float], x: str) -> None:
    line = {"width": 1.5, "dash": "dash", "color": RED}
    if "accuracy" in limits:
        figure.add_hline(y=100 * limits["accuracy"], line=line)
    if x in limits:
        figure.add_vline(x=limits[x] if x == "p95_ms" else limits[x] / _THOUSAND, line=line)
