"""The audit log: whole lines, nothing forged, bounded, and never in the way."""

from __future__ import annotations

import io
import json
import logging
import stat
import threading
from typing import TYPE_CHECKING, Any

import pytest

from workbench.serve.audit import NAME, OLDER, Audit
from workbench.serve.logs import OneLineFormatter
from workbench.serve.status import RequestError, not_found

if TYPE_CHECKING:
    from pathlib import Path


def lines(folder: Path, name: str = NAME) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def test_an_action_and_how_it_went(tmp_path: Path) -> None:
    audit = Audit(tmp_path)
    with audit.action("load", "mnist", key_id="0123abcd", peer="127.0.0.1:5"):
        pass
    with pytest.raises(RequestError), audit.action("unload", "none"):
        raise not_found("no model none")
    with pytest.raises(ZeroDivisionError), audit.action("reload", ""):
        raise ZeroDivisionError
    first, second, third = lines(tmp_path)
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "action": "load", "subject": "mnist", "outcome": "OK", "key": "0123abcd", "peer": "127.0.0.1:5"
    }  # fmt: skip
    assert (second["outcome"], second["reason"]) == ("NOT_FOUND", "no model none")
    assert third["outcome"] == "UNKNOWN"
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600


def test_no_line_can_be_forged(tmp_path: Path) -> None:
    Audit(tmp_path).note("load", 'a\r\n{"action": "stop"}\u2028\x85\x1b[2J' + "x" * 10_000, "OK")
    raw = (tmp_path / NAME).read_bytes()
    assert raw.count(b"\n") == 1
    assert raw.isascii()
    assert not any(byte < 32 for byte in raw[:-1])
    assert len(raw) < 600
    assert [line["action"] for line in lines(tmp_path)] == ["load"]


def test_it_stays_small(tmp_path: Path) -> None:
    audit = Audit(tmp_path, most_bytes=2000)
    for index in range(100):
        audit.note("load", f"model-{index}", "OK")
    assert sorted(path.name for path in tmp_path.iterdir()) == [OLDER, NAME]
    assert all(path.stat().st_size <= 2000 for path in tmp_path.iterdir())
    kept = [line["subject"] for line in [*lines(tmp_path, OLDER), *lines(tmp_path)]]
    assert kept == [f"model-{index}" for index in range(100 - len(kept), 100)]


def test_lines_of_many_writers_stay_whole(tmp_path: Path) -> None:
    audit = Audit(tmp_path)
    writers = [
        threading.Thread(target=lambda name=name: [audit.note("load", name * 200, "OK") for _ in range(50)])  # type: ignore[misc]
        for name in "abcd"
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(line["subject"] for line in lines(tmp_path)) == sorted([name * 200 for name in "abcd"] * 50)


def test_where_it_cannot_write_it_says_so_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    audit = Audit(tmp_path / "gone")
    for _ in range(3):
        audit.note("load", "mnist", "OK")
    assert [record.message for record in caplog.records] == [
        "the audit log cannot be written: No such file or directory"
    ]
    with Audit(None).action("load", "mnist"):
        pass


def test_a_full_disk_is_no_matter(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    (tmp_path / NAME).symlink_to("/dev/full")
    Audit(tmp_path).note("load", "mnist", "OK")
    assert [record.message for record in caplog.records] == ["the audit log cannot be written: No space left on device"]


def test_log_messages_are_one_line() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLineFormatter("%(levelname)s %(message)s"))
    log = logging.Logger("of this test")  # noqa: LOG001 - known to nobody else
    log.addHandler(handler)
    log.warning("model %s", "a\r\nWARNING forged\u2028\x1b")
    try:
        json.loads("{")
    except ValueError:
        log.exception("it failed")
    written = stream.getvalue().splitlines()
    assert written[0] == r"WARNING model a\x0d\x0aWARNING forged\x2028\x1b"
    assert written[1:3] == ["ERROR it failed", "Traceback (most recent call last):"]
