from __future__ import annotations

from itertools import pairwise
from math import log10
from typing import TYPE_CHECKING

import pytest

from workbench.core.records import LatencyHistogram, LoadResult
from workbench.core.records.load import bucket_of, percentiles_ms
from workbench.figures.latency_histogram import latency_histogram
from workbench.report.load import load_table, print_load, remarks, write_load_report

if TYPE_CHECKING:
    from pathlib import Path


def result(times: list[int], **changes: object) -> LoadResult:
    counts: dict[int, int] = {}
    for micros in times:
        counts[bucket_of(micros)] = counts.get(bucket_of(micros), 0) + 1
    latency = LatencyHistogram.of(counts, sum(times), max(times, default=0))
    values = {
        "url": "http://127.0.0.1:1", "model": "m <b>", "face": "rest", "loop": "open", "rate": 100.0, "connections": 4,
        "batch": 1, "seconds": 1.0, "requests": len(times), "errors": {}, "unsent": 0, "throughput": float(len(times)),
        "latency": latency, "client_cpu": 0.1, **percentiles_ms(latency), **changes,
    }  # fmt: skip
    return LoadResult.from_json(values)


def test_every_answer_is_in_one_bar() -> None:
    record = result([100, 101, 5_000, 5_001, 70_000])
    figure = latency_histogram(record)
    (bars,) = figure.data
    assert sum(bars.y) == pytest.approx(5)
    edges = [(x - width / 2, x + width / 2) for x, width in zip(bars.x, bars.width, strict=True)]
    assert all(after <= low + 1e-9 for (_, after), (low, _) in pairwise(edges))
    assert edges[0][0] <= 0.1 < edges[1][1]
    assert all(after / low == pytest.approx(2 ** (1 / 8)) for low, after in edges)
    assert figure.layout.xaxis.type == "log"
    assert [shape.x0 for shape in figure.layout.shapes] == [record.p50_ms, record.p99_ms, record.p999_ms]
    assert figure.layout.annotations[0].x == log10(record.p50_ms)


def test_nothing_answered_is_drawn_too() -> None:
    figure = latency_histogram(result([], errors={"503": 3}), "dark")
    assert len(figure.data[0].x) == 0
    assert not figure.layout.shapes


def test_the_page_opens_offline_and_says_what_went_wrong(tmp_path: Path) -> None:
    record = result([100] * 9, errors={"503": 2}, unsent=7, client_cpu=0.95, rate=None)
    page = write_load_report(record, tmp_path / "load.html").read_text(encoding="utf-8")
    assert "m &lt;b&gt;" in page
    assert "m <b>" not in page
    for words in ("2 requests ended with 503.", "7 requests were due and never sent", "took 95% of a core"):
        assert words in page
    assert load_table(record).rows[0][:3] == ("9", "9", "9.0")


def test_the_terminal_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    print_load(result([]))
    shown = capsys.readouterr().out
    assert "100 requests a second" in shown
    assert "–" in shown
    assert remarks(result([100])) == ()
