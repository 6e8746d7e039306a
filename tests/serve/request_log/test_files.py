"""The log's files are bounded in number, size and age, and a full disk tears no line."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from workbench.core.errors import BadInputError
from workbench.serve.request_log.files import Files, numbered
from workbench.serve.request_log.settings import RequestLogSettings

if TYPE_CHECKING:
    from pathlib import Path

SMALL = RequestLogSettings(max_bytes=4096, max_files=3)


def line(number: int, size: int = 100) -> bytes:
    return f"{number:0{size - 1}d}\n".encode()


def numbers(folder: Path, worker: int = 0) -> list[int]:
    files = numbered(folder).get(worker, {})
    return [int(each) for path in files.values() for each in path.read_bytes().split()]


def test_the_newest_lines_are_kept_in_order_and_in_bounds(tmp_path: Path) -> None:
    files = Files(tmp_path / "requests", 0, SMALL)
    for start in range(0, 300, 7):
        files.append([line(at) for at in range(start, min(start + 7, 300))])
    kept = numbered(tmp_path / "requests")[0]
    assert len(kept) == SMALL.max_files
    assert all(path.stat().st_size <= SMALL.max_bytes for path in kept.values())
    found = numbers(tmp_path / "requests")
    assert found == list(range(found[0], 300))
    assert len(found) >= 2 * 40


def test_a_line_longer_than_a_file_has_one_of_its_own(tmp_path: Path) -> None:
    files = Files(tmp_path, 0, SMALL)
    files.append([line(1), line(2, 4200), line(3)])
    assert [path.stat().st_size for path in numbered(tmp_path)[0].values()] == [100, 4200, 100]
    assert numbers(tmp_path) == [1, 2, 3]


def test_workers_have_files_of_their_own_and_a_successor_begins_a_new_one(tmp_path: Path) -> None:
    Files(tmp_path, 0, SMALL).append([line(1), b"torn by a cra"])
    Files(tmp_path, 1, SMALL).append([line(7)])
    Files(tmp_path, 0, SMALL).append([line(2)])
    assert [*numbered(tmp_path)[0]] == [1, 2]
    assert numbered(tmp_path)[0][2].read_bytes() == line(2)
    assert numbers(tmp_path, 1) == [7]


def test_what_is_too_old_is_deleted(tmp_path: Path) -> None:
    settings = RequestLogSettings(max_age_seconds=100)
    files = Files(tmp_path, 0, settings)
    files.append([line(1)])
    files.close()
    files.append([line(2)])
    old = numbered(tmp_path)[0][1]
    os.utime(old, (time.time() - 60,) * 2)
    files.tidy()
    assert numbers(tmp_path) == [2]


def test_files_that_somebody_deletes_are_begun_anew(tmp_path: Path) -> None:
    files = Files(tmp_path / "requests", 0, SMALL)
    files.append([line(1)])
    for path in (tmp_path / "requests").iterdir():
        path.unlink()
    (tmp_path / "requests").rmdir()
    files.append([line(2)])
    assert numbers(tmp_path / "requests") == [2]


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    Files(tmp_path / "requests", 0, SMALL).append([line(1)])
    assert (tmp_path / "requests").stat().st_mode & 0o777 == 0o700
    assert numbered(tmp_path / "requests")[0][1].stat().st_mode & 0o777 == 0o600


FULL = """
import resource, signal, sys
from pathlib import Path
from workbench.core.errors import BadInputError
from workbench.serve.request_log.files import Files
from workbench.serve.request_log.settings import RequestLogSettings
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder, (soft, hard) = Path(sys.argv[1]), resource.getrlimit(resource.RLIMIT_FSIZE)
line = lambda number: f"{number:099d}\\n".encode()
files = Files(folder, 0, RequestLogSettings())
files.append([line(at) for at in range(3)])
resource.setrlimit(resource.RLIMIT_FSIZE, (550, hard))
for _ in range(4):
    try:
        files.append([line(at) for at in range(100, 110)])  # half a line would fit
    except OSError:
        print("full", flush=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
files.append([line(4)])
"""


def test_a_full_disk_leaves_whole_lines_and_it_goes_on_when_there_is_room(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["full"] * 4
    assert numbers(tmp_path) == [0, 1, 2, 4]
    assert len(list(tmp_path.iterdir())) == 2  # a disk that is full is not filled with empty files


def test_bounds_are_declared() -> None:
    for wrong in ({"sample": 1.5}, {"flush_seconds": 2}, {"max_files": 0}, {"key_header": "X Client"}):
        with pytest.raises(BadInputError, match=next(iter(wrong))):
            RequestLogSettings(**wrong)
