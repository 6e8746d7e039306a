from pathlib import Path

import pytest

from workbench.core.errors import WorkspaceError
from workbench.core.events import FILE_NAME, EventReader, EventWriter


def test_a_reader_sees_each_event_once(tmp_path: Path) -> None:
    writer, reader = EventWriter(tmp_path), EventReader(tmp_path)
    writer.emit("epoch", epoch=1, loss=0.5)
    assert [(e.type, e.data) for e in reader.read()] == [("epoch", {"epoch": 1, "loss": 0.5})]
    assert reader.read() == []
    writer.emit("state", state="done")
    assert [e.type for e in reader.read()] == ["state"]
    assert [e.type for e in EventReader(tmp_path).read()] == ["epoch", "state"]
    writer.close()


def test_half_a_line_waits_and_a_broken_one_is_skipped(tmp_path: Path) -> None:
    reader = EventReader(tmp_path)
    assert reader.read() == []
    path = tmp_path / FILE_NAME
    path.write_bytes(b'{"type":"a","time":1}\n{"type":"b","ti')
    assert [e.type for e in reader.read()] == ["a"]
    with path.open("ab") as file:
        file.write(b'{"type":"c","time":2}\n{"type":"d","time":3}\n')
    assert [e.type for e in reader.read()] == ["d"]


def test_a_new_writer_starts_a_new_line_after_one_that_was_killed(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b'{"type":"a","time":1}\n{"type":"b","ti')
    writer = EventWriter(tmp_path)
    writer.emit("c")
    writer.close()
    assert [e.type for e in EventReader(tmp_path).read()] == ["a", "c"]


@pytest.mark.parametrize("line", ["[1,2]", "[" * 100_000, "null", '{"type":"a"}', "\xff"])
def test_what_is_no_event_is_skipped(tmp_path: Path, line: str) -> None:
    (tmp_path / FILE_NAME).write_text(line + '\n{"type":"d","time":3}\n', encoding="latin-1")
    assert [e.type for e in EventReader(tmp_path).read()] == ["d"]


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="cannot be written"):
        EventWriter(tmp_path / "missing")
