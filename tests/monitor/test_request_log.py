"""Reading a log while it is written, torn and rotated."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

from workbench.core.records import LoggedRequest
from workbench.monitor.request_log import Cursor, follow, read
from workbench.serve.request_log.files import Files
from workbench.serve.request_log.settings import RequestLogSettings

if TYPE_CHECKING:
    from pathlib import Path

SMALL = RequestLogSettings(max_bytes=4096, max_files=3)


def line(number: int) -> bytes:
    return json.dumps(request(number).to_json()).encode() + b"\n"


def request(number: int) -> LoggedRequest:
    return LoggedRequest(
        id=str(number), time=number, model="m", version=1, seconds=0.1, run_seconds=0.1, examples=1,
        features=((0.5, None),),
    )  # fmt: skip


def ids(requests: tuple[LoggedRequest, ...]) -> list[int]:
    return [int(one.id) for one in requests]


def test_each_request_is_read_once_and_in_its_turn(tmp_path: Path) -> None:
    workers = [Files(tmp_path / "requests", at, SMALL) for at in range(2)]
    cursor, found = None, []
    for number in range(60):
        workers[number % 2].append([line(number)])
        if number % 7 == 0:
            requests, cursor = read(tmp_path, cursor)
            found += ids(requests)
            assert requests[-1] == request(number)
            cursor = Cursor.from_json(json.loads(json.dumps(cursor.to_json())))  # it outlives its reader
    found += ids(read(tmp_path, cursor)[0])
    assert found == list(range(60))
    assert read(tmp_path, None)[0][-1] == request(59)


def test_a_log_that_has_not_begun_is_empty(tmp_path: Path) -> None:
    requests, cursor = read(tmp_path)
    assert (requests, cursor) == ((), Cursor())


def test_a_line_that_is_being_written_is_left_for_the_next_time(tmp_path: Path) -> None:
    path = tmp_path / "requests" / "0-1.jsonl"
    path.parent.mkdir()
    path.write_bytes(line(1) + line(2)[:20])
    requests, cursor = read(tmp_path)
    assert ids(requests) == [1]
    path.write_bytes(line(1) + line(2))
    requests, cursor = read(tmp_path, cursor)
    assert (ids(requests), cursor.damaged) == ([2], 0)


def test_torn_and_damaged_lines_are_left_out_and_counted(tmp_path: Path) -> None:
    folder = tmp_path / "requests"
    folder.mkdir()
    (folder / "0-1.jsonl").write_bytes(line(1) + b'{"id": 4}\n' + b"\xff\x00\n" + line(2) + line(3)[:30])
    (folder / "0-2.jsonl").write_bytes(line(4))  # its worker was killed, and has a successor
    (folder / "notes.txt").write_text("not ours")
    requests, cursor = read(folder)
    assert (ids(requests), cursor.damaged) == ([1, 2, 4], 3)
    assert ids(read(folder, cursor)[0]) == []


def test_files_that_were_deleted_meanwhile_are_passed_over(tmp_path: Path) -> None:
    home = tmp_path / "requests"
    files = Files(home, 0, SMALL)
    files.append([line(0)])
    _, cursor = read(home)
    for number in range(1, 300):
        files.append([line(number)])
    requests, cursor = read(home, cursor)
    assert ids(requests) == list(range(ids(requests)[0], 300))
    files.append([line(300)])
    assert ids(read(home, cursor)[0]) == [300]


def test_following_yields_what_comes_until_it_is_stopped(tmp_path: Path) -> None:
    files, stop, found = Files(tmp_path / "requests", 0, SMALL), threading.Event(), []
    files.append([line(0)])
    for requests in follow(tmp_path, stop, seconds=0.001):
        found += ids(requests)
        if found[-1] == 2:
            stop.set()
            files.append([line(3)])
        elif not stop.is_set():
            files.append([line(found[-1] + 1)])
    assert found == [0, 1, 2, 3]
