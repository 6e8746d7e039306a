"""How late a server's answers come."""

from __future__ import annotations

from math import ceil, floor, log2, log10
from typing import TYPE_CHECKING

from workbench.core.language import _
from workbench.core.records.load import bucket_bounds
from workbench.figures.style import BLUE, ORANGE, RED, Theme, styled

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.core.records import LoadResult

_MARKS = (("p50", "p50_ms", "gray"), ("p99", "p99_ms", ORANGE), ("p99.9", "p999_ms", RED))
_BARS = 8  # to a doubling of time
_HEADROOM = 1.5  # above the highest bar, for what stands beside the lines


def latency_histogram(record: LoadResult, theme: Theme = "light") -> go.Figure:
    """Draw how many answers took how long, on a logarithmic axis, with the percentiles marked."""
    import plotly.graph_objects as go

    bars = _bars(record)
    figure = go.Figure(
        go.Bar(
            x=[(low + high) / 2 for low, high, _count in bars],
            y=[count for *_bounds, count in bars],
            # On a logarithmic axis too a bar's width is in the axis' own units.
            width=[high - low for low, high, _count in bars],
            customdata=[f"{low:.3g}–{high:.3g} ms" for low, high, _count in bars],
            hovertemplate=_("{bounds}: {n} answers").format(bounds="%{customdata}", n="%{y:,.0f}") + "<extra></extra>",
            marker={"color": BLUE, "line": {"width": 0}},
            showlegend=False,
        )
    )
    for name, field, colour in _MARKS:
        if value := getattr(record, field):
            line = {"color": colour, "dash": "dot", "width": 1.5}
            figure.add_shape(type="line", x0=value, x1=value, y0=0, y1=1, yref="paper", line=line)
            # Unlike a shape an annotation wants the logarithm.
            figure.add_annotation(
                x=log10(value), y=1, yref="paper", text=f"{name} {value:.3g} ms", textangle=-90, showarrow=False,
                xanchor="right", yanchor="top", font={"color": colour, "size": 11},
            )  # fmt: skip
    asked = _("asked as fast as answered")
    if record.rate is not None:
        asked = _("{rate} asked a second").format(rate=f"{record.rate:g}")
    title = _("latency of {n} answers, {asked}, {connections} connections").format(
        n=f"{record.requests:,}", asked=asked, connections=record.connections
    )
    styled(figure, theme, title=title)
    figure.update_xaxes(title_text=_("milliseconds"), type="log")
    figure.update_yaxes(
        title_text=_("number of answers"), range=[0, _HEADROOM * max((count for *_bounds, count in bars), default=1)]
    )
    return figure


def _bars(record: LoadResult) -> list[tuple[float, float, float]]:
    """Give bounds in milliseconds and count of each bar: all of one width on a logarithmic axis.

    A bucket that lies in two bars is shared between them in proportion.
    """
    counts: dict[int, float] = {}
    for index, count in record.latency.buckets:
        low, after = (_BARS * log2(max(bound, 0.5)) for bound in bucket_bounds(index))
        for bar in range(floor(low), ceil(after)):
            share = (min(after, bar + 1) - max(low, bar)) / (after - low)
            counts[bar] = counts.get(bar, 0.0) + count * share
    return [(2 ** (bar / _BARS) / 1000, 2 ** ((bar + 1) / _BARS) / 1000, count) for bar, count in counts.items()]
