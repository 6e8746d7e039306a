"""The parts of the benchmark against other servers that need no other server."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from rivals.cells import CONNECTIONS, Cells, Figures, compared, tail  # noqa: E402
from rivals.forms import JSON, V2_BINARY, V2_JSON, Form  # noqa: E402
from rivals.roster import OURS, ROSTER  # noqa: E402


def figures(throughput: float, p99: float = 3.0) -> Figures:
    return Figures(throughput, 1.0, p99, 100.0)


@pytest.fixture
def cells() -> Cells:
    found = Cells()
    for connections in CONNECTIONS:
        found.rounds["ours", "JSON", 1, connections] = [figures(400), figures(900, 9), figures(500)]
        found.rounds["other 1.0", "JSON", 1, connections] = [figures(100), figures(300), figures(100)]
    return found


def test_a_ratio_is_the_median_of_the_rounds_ratios(cells: Cells) -> None:
    assert cells.ratio("JSON", "other 1.0", 1, 16) == 4.0
    assert cells.median(("ours", "JSON", 1, 16), "throughput") == 500


def test_rows_say_what_was_measured(cells: Cells) -> None:
    row = compared(cells, "other 1.0", "JSON", 1, 4)
    assert (row["target"], row["met"]) == ("≥ 4x at 16 connections", True)
    assert row["measured"].startswith("4.00x / 4.00x / 4.00x at 1 / 16 / 64 connections; at 16: 500 against 100 /s")
    assert compared(cells, "other 1.0", "JSON", 1, 4.5)["met"] is False
    assert compared(cells, "other 1.0", "JSON", 1, None)["met"] is None
    assert tail(cells, "JSON", 1)["met"] is True


@pytest.mark.parametrize("form", [JSON, V2_JSON, V2_BINARY], ids=lambda form: form.name)
def test_a_body_can_be_read_again(form: Form) -> None:
    images = np.random.default_rng(0).random((2, 28, 28, 1), dtype=np.float32)
    body, headers = form.write(images)
    as_answer = body.replace(b'"inputs"', b'"outputs"').replace(b'"instances"', b'"predictions"')
    length = str(len(as_answer) - images.nbytes)  # one more than in the question, as is the word
    headers = {name: length if name.startswith("inference") else value for name, value in headers.items()}
    np.testing.assert_array_equal(form.read(as_answer, headers), images)


def test_every_rival_has_its_program_and_asks_what_we_answer() -> None:
    for rival in ROSTER:
        assert (BENCHMARKS / "rivals" / rival.program).is_file()
        assert rival.ways.keys() <= OURS.keys()
