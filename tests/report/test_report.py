import re
from pathlib import Path

import pytest

from workbench.core.records import RoadReport
from workbench.report.road import write_report
from workbench.report.table import variants_table
from workbench.report.terminal import print_road


def test_the_table_has_what_was_measured(report: RoadReport) -> None:
    table = variants_table(report.variants)
    trained, small = (dict(zip(table.head, row, strict=True)) for row in table.rows)
    assert trained["ratio"] == "1.0×"
    assert (trained["p50 ms"], trained["gate"]) == ("–", "pass")
    assert small == {
        "variant": "pruned tflite int8",
        "accuracy %": "90.00",
        "95 % interval": "85.00 – 94.00",
        "drop pt": "+2.00",
        "zeros %": "80",
        "raw kB": "40.0",
        "gzip kB": "20.0",
        "ratio": "20.0×",
        "p50 ms": "0.100",
        "p95 ms": "0.200",
        "gate": "FAIL",
    }


def test_the_page_opens_offline(report: RoadReport, tmp_path: Path) -> None:
    page = write_report(report, tmp_path / "report.html").read_text(encoding="utf-8")
    own = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert not re.findall(r"(?:src|href)=", own)
    assert "Gate failed: it lost too much." in own
    assert own.count("plotly-graph-div") == 4
    assert "pruned tflite int8" in own


def test_what_people_typed_cannot_run_in_the_page(report: RoadReport, tmp_path: Path) -> None:
    page = write_report(report, tmp_path / "report.html").read_text(encoding="utf-8")
    assert "digits &lt;script&gt;" in page
    assert "digits <script>" not in page


def test_the_terminal_says_the_same(report: RoadReport, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_road(report, tmp_path / "run" / "result" / "report.html")
    shown = capsys.readouterr().out
    for words in ("85.00 – 94.00", "gate failed", "it lost too much.", "p50 1.50 ms", "report.html"):
        assert words in shown
    assert "…" not in shown


def test_a_narrow_terminal_shows_whole_lines(report: RoadReport) -> None:
    narrow = variants_table(report.variants).without("95 % interval", "raw kB")
    assert narrow.head[:4] == ("variant", "accuracy %", "drop pt", "zeros %")
    assert narrow.rows[1][:4] == ("pruned tflite int8", "90.00", "+2.00", "80")
