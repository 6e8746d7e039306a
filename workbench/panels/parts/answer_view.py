"""What a position of the sliders costs and buys: figures with their intervals, and the points that were visited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.core.language import N_, _
from workbench.panels.base import stack
from workbench.panels.parts.run_view import percent
from workbench.widgets.live_chart import LiveChart
from workbench.widgets.stat_tiles import StatTiles

if TYPE_CHECKING:
    from workbench.core.records import EstimatedAccuracy, PreviewAnswer, Proportion, Sizes

_MOST_POINTS = 400
_KILO = 1000
_VISITED, _NOW, _TUNED, _MODEL = N_("visited"), N_("now"), N_("fine-tuned"), N_("the model itself")
_COSTS = (N_("Accuracy"), N_("Points lost"), N_("After fine-tuning"))
_BUYS = (N_("Size gzip'd"), N_("File"), N_("Packed"))
_SERIES = ((_VISITED, 0), (_MODEL, 3), (_TUNED, 2), (_NOW, 1))


class Point(NamedTuple):
    """Size, gzip'd bytes, and accuracy of something that was measured."""

    size: int
    accuracy: float


class AnswerView:
    """Shows the newest answer, and remembers all of them.

    Attributes:
        tiles: Accuracy of the newest answer.
        sizes: Its bytes.
        chart: Accuracy against size.
    """

    def __init__(self) -> None:
        self.tiles = StatTiles(label=_("What this point costs"))
        self.sizes = StatTiles(label=_("What this point buys"))
        self.chart = LiveChart(
            [{"name": _(name), "style": "dots", "color": color} for name, color in _SERIES],
            title=_("Points visited"),
            x_label=_("size gzip'd, kB"),
            y_label=_("share right"),
            y_format="percent",
            x_range=[0, None],
            height=250,
            empty=_("Move a slider: each point is kept here"),
        )
        self.widget = stack(self.tiles, self.sizes, self.chart)
        self.clear()

    def clear(self) -> None:
        """Forget all points: another model is looked at."""
        self._itself: PreviewAnswer | None = None
        self._visited: dict[str, Point] = {}
        self._tuned: list[Point] = []
        self.chart.show({})
        self.chart.marks = []
        for leaf, names in ((self.tiles, _COSTS), (self.sizes, _BUYS)):
            leaf.tiles = [{"label": _(name), "value": "–", "detail": " "} for name in names]

    def begin(self, itself: PreviewAnswer) -> None:
        """Take in how the model answers as it is."""
        self._itself = itself
        self.chart.marks = [{"x": itself.sizes.gzip / _KILO, "label": _("the model itself")}]
        self.show(itself, None)

    def show(self, answer: PreviewAnswer, estimate: EstimatedAccuracy | None) -> None:
        """Draw an answer and what fine-tuning would make of it."""
        before = self._itself or answer
        key = str(answer.settings)
        self._visited.pop(key, None)
        self._visited[key] = Point(answer.sizes.gzip, answer.accuracy.value)
        while len(self._visited) > _MOST_POINTS:
            del self._visited[next(iter(self._visited))]
        self.tiles.tiles = [
            {
                "label": _("Accuracy"), "value": percent(answer.accuracy.value),
                "detail": f"{interval(answer.accuracy)} {measured_on(answer)}",
                "tooltip": _("95 % Wilson score interval; nothing is fine-tuned"),
            },
            {
                "label": _("Points lost"), "value": points(answer.drop, 2),
                "detail": f"[{points(answer.drop_low)}, {points(answer.drop_high)}] "
                + _("of accuracy, on the same samples"),
                "tooltip": _("Against the model as it is, with the paired 95 % interval"),
            },
            _estimate_tile(estimate),
        ]  # fmt: skip
        self.sizes.tiles = _size_tiles(answer.sizes, before.sizes, answer.zeros)
        self._draw(self._visited[key])

    def add_tuned(self, sizes: Sizes, accuracy: Proportion) -> None:
        """Add a point that was fine-tuned and measured."""
        self._tuned.append(Point(sizes.gzip, accuracy.value))
        self._draw(next(reversed(self._visited.values()), None))

    def _draw(self, now: Point | None) -> None:
        itself = self._itself
        model = [Point(itself.sizes.gzip, itself.accuracy.value)] if itself is not None else []
        found = {_VISITED: list(self._visited.values()), _MODEL: model, _TUNED: self._tuned}
        found[_NOW] = [now] if now is not None else []
        self.chart.show({_(name): _columns(each) for name, each in found.items()})


def points(share: float, digits: int = 1) -> str:
    """Write a difference of shares in percentage points; nothing that rounds to zero has a sign."""
    return f"{round(100 * share, digits) + 0.0:.{digits}f}"


def interval(accuracy: Proportion) -> str:
    """Write an interval in per cent, e.g. `[98.1, 99.2]`."""
    return f"[{100 * accuracy.low:.1f}, {100 * accuracy.high:.1f}]"


def measured_on(answer: PreviewAnswer) -> str:
    """Say how many samples an answer rests on."""
    if answer.final:
        return _("measured on all {total} test samples").format(total=f"{answer.total:,}")
    return _("measured on {n} of {total} test samples").format(n=f"{answer.images:,}", total=f"{answer.total:,}")


def size_in_words(count: int) -> str:
    """Write a number of bytes with its unit."""
    return f"{count:,} B" if count < 10 * _KILO else f"{count / _KILO:,.1f} kB"


def _size_tiles(sizes: Sizes, before: Sizes, zeros: float) -> list[dict[str, str]]:
    def tile(label: str, now: int, then: int, tooltip: str) -> dict[str, str]:
        share = _("{share} % of {size}").format(share=f"{100 * now / max(1, then):.0f}", size=size_in_words(then))
        return {"label": label, "value": size_in_words(now), "detail": share, "tooltip": tooltip}

    said = _("{share} % of the weights are zero").format(share=f"{100 * zeros:.1f}")
    tiles = [
        tile(_("Size gzip'd"), sizes.gzip, before.gzip, said),
        tile(_("File"), sizes.raw, before.raw, _("The ONNX file, byte by byte")),
    ]
    if sizes.packed is not None and before.packed is not None:
        tiles.append(tile(_("Packed"), sizes.packed, before.packed, _("In our own container, lossless")))
    return tiles


def _estimate_tile(estimate: EstimatedAccuracy | None) -> dict[str, str]:
    tile = {"label": _("After fine-tuning"), "value": "–", "tooltip": _("What fine-tuning at this point would reach")}
    if estimate is None or estimate.accuracy is None:
        return {**tile, "detail": _("no estimate: no fine-tuned points around it")}
    one, several = _("estimated from 1 point"), _("estimated from {k} points")
    said = one if estimate.points == 1 else several.format(k=estimate.points)
    if estimate.low is not None and estimate.high is not None:
        said = f"[{100 * estimate.low:.1f}, {100 * estimate.high:.1f}] {said}"
    return {**tile, "value": percent(estimate.accuracy), "detail": said}


def _columns(found: list[Point]) -> tuple[list[Any], list[Any]]:
    rows = sorted((point.size / _KILO, point.accuracy) for point in found)
    return [row[0] for row in rows], [row[1] for row in rows]
