"""Nothing that a server waits for hangs on the time of day, which people and time servers set."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import workbench.serve

FOLDER = Path(workbench.serve.__file__).parent
OF_DAY = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today", "time.localtime"}

SHOWN = {
    "audit.py": 1,  # when an action was taken, in a line of the log
    "versions/manager.py": 1,  # when a reload was done, in its history
    "client/http.py": 1,  # `Retry-After` may be a date
    "store/history.py": 1,  # when a change was made
    "request_log/lines.py": 1,  # when a request came
    "request_log/files.py": 1,  # how old a file is that another process wrote
}
"""Where the time of day is written down for people, or read from what others wrote: uses by file."""


def uses(path: Path) -> int:
    """Count calls that ask for the time of day; whoever imports the function by itself is counted too."""
    found = 0
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute):
            found += f"{ast.unparse(node.value).rpartition('.')[2]}.{node.attr}" in OF_DAY
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            found += sum(f"time.{name.name}" in OF_DAY for name in node.names)
    return found


def test_who_asks_for_the_time_of_day() -> None:
    counted = {str(path.relative_to(FOLDER)): uses(path) for path in FOLDER.rglob("*.py")}
    assert {path: count for path, count in counted.items() if count} == SHOWN


@pytest.mark.parametrize(
    "line", ["time.time()", "from time import time", "datetime.now(UTC)", "datetime.datetime.now()", "t = time.time"]
)
def test_the_count_sees_them(tmp_path: Path, line: str) -> None:
    (tmp_path / "module.py").write_text(f"{line}\n")
    assert uses(tmp_path / "module.py") == 1
