"""How late a server's answers come."""

from __future__ import annotations

from math import log10
from typing import TYPE_CHECKING

from workbench.core.records.load import bucket_bounds
from workbench.figures.style import BLUE, ORANGE, RED, Theme, styled

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from workbench.core.records import LoadResult

_MARKS = (("p50", "p50_ms", BLUE), ("p99", "p99_ms", ORANGE), ("p99.9", "p999_ms", RED))
_TOGETHER = 8  # buckets to a bar: an octave has eight bars


def latency_histogram(record: LoadResult, theme: Theme = "light") -> go.Figure:
    """Draw how many answers took how long, on a logarithmic axis, with the percentiles marked."""
    import plotly.graph_objects as go

    bars = _bars(record)
    figure = go.Figure(
        go.Bar(
            x=[(low + high) / 2 for low, high, _ in bars],
            y=[count for _, _, count in bars],
            # On a logarithmic axis too a bar's width is in the axis' own units.
            width=[high - low for low, high, _ in bars],
            customdata=[f"{low:.3g} to {high:.3g} ms" for low, high, _ in bars],
            hovertemplate="%{customdata}: %{y:,} answers<extra></extra>",
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
    asked = f"{record.rate:g} asked a second" if record.rate is not None else "asked as fast as answered"
    title = f"latency of {record.requests:,} answers, {asked}, {record.connections} connections"
    styled(figure, theme, title=title)
    figure.update_xaxes(title_text="milliseconds", type="log")
    figure.update_yaxes(title_text="answers")
    return figure


def _bars(record: LoadResult) -> list[tuple[float, float, int]]:
    """Give bounds in milliseconds and count of each bar."""
    counts: dict[int, int] = {}
    for index, count in record.latency.buckets:
        counts[index // _TOGETHER] = counts.get(index // _TOGETHER, 0) + count
    return [
        (
            max(bucket_bounds(group * _TOGETHER)[0], 1) / 1000,
            bucket_bounds(group * _TOGETHER + _TOGETHER - 1)[1] / 1000,
            count,
        )
        for group, count in counts.items()
    ]
