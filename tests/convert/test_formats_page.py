"""The page on formats says what the code says."""

import re
from pathlib import Path

from tests.convert.test_matrix import HEADER, OUT
from workbench.convert.base import converters

PAGE = (Path(__file__).parents[2] / "docs" / "know" / "formats.md").read_text(encoding="utf-8")


def test_its_matrix_has_the_columns_that_are_tested() -> None:
    (table,) = re.findall(r"<!-- matrix: begin -->\n(.*?)<!-- matrix: end -->", PAGE, re.DOTALL)
    header, rule, *rows = (line for line in table.splitlines() if line.startswith("|"))
    assert header == HEADER
    assert rule.count("---") == len(OUT) + 2
    assert all(row.count("|") == header.count("|") for row in rows)


def test_its_list_of_what_goes_out_is_complete() -> None:
    (table,) = re.findall(r"## What goes out\n.*?\n(\| format \|.*?)\n\n", PAGE, re.DOTALL)
    rows = [row.split("|")[1:3] for row in table.splitlines()[2:]]
    told = {name: kinds for names, kinds in rows for name in re.findall(r"`(\w+)`", names)}
    assert told.keys() == set(converters.names())
    for name in told.keys() - {"c_array", "packed"}:
        assert tuple(told[name].strip().split(", ")) == converters.get(name).numerics
