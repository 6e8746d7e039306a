"""The history, going back and forth in it, and deleting what nobody needs."""

from __future__ import annotations

import getpass
import resource
import tracemalloc
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from workbench.core.errors import BadInputError, WorkspaceError
from workbench.core.records import Override, StoreChange
from workbench.serve.store.history import HISTORY

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.core.artifact import Artifact
    from workbench.serve.store import Store

    Make = Callable[[str], Artifact]

ANNA = Override(who="anna", why="a test")


@pytest.fixture
def four(store: Store, make: Make) -> Store:
    """Four versions of `m`; `stable` meant 1, then 2, now 3."""
    for content in "abcd":
        store.publish(make(content), "m", override=ANNA)
    for version in (1, 2, 3):
        store.label("m", "stable", version, bless=None, by="anna", why=f"try {version}")
    return store


def test_every_change_is_a_line(four: Store) -> None:
    four.rollback("m", by="alarm", why="accuracy below 90 %")
    four.unlabel("m", "stable")
    four.collect("m", 3)
    said = [(each.action, each.version, each.label, each.previous, each.who) for each in four.history("m")]
    me = getpass.getuser()
    assert said == [
        *(("publish", version, "", None, "anna") for version in (1, 2, 3, 4)),
        ("label", 1, "stable", None, "anna"), ("label", 2, "stable", 1, "anna"), ("label", 3, "stable", 2, "anna"),
        ("rollback", 2, "stable", 3, "alarm"), ("unlabel", 2, "stable", None, me), ("delete", 1, "", None, me),
    ]  # fmt: skip
    times = [datetime.fromisoformat(each.time) for each in four.history("m")]
    assert times == sorted(times)
    assert times[0].tzinfo == UTC
    assert four.history("m")[7].sentence == (
        "stable is rolled back to version 2, before 3 (by alarm: accuracy below 90 %)"
    )
    assert all(StoreChange.from_json(each.to_json()) == each for each in four.history("m"))


def test_what_is_so_already_is_no_change(four: Store) -> None:
    before = four.history("m")
    four.label("m", "stable", 3, bless=None)
    four.unlabel("m", "canary")
    assert four.rollback("m", to=3) == 3
    assert four.history("m") == before


@pytest.mark.parametrize(
    "torn", [b'{"time": "2026', b'{"time": "2026-01-01", "action": "label", "version": 1}', b"\xff"]
)
def test_half_a_line_at_the_end_is_dropped(four: Store, torn: bytes) -> None:
    path, before = four.base / "m" / HISTORY, four.history("m")
    path.write_bytes(path.read_bytes() + torn)
    assert four.history("m") == before
    four.label("m", "live", 1)
    assert four.history("m")[:-1] == before
    assert torn not in path.read_bytes()


def test_a_change_that_the_disk_had_no_room_to_enter_is_entered_by_the_next(four: Store) -> None:
    path, before = four.base / "m" / HISTORY, four.history("m")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, limits[1]))  # as a disk that fills up
    try:
        with pytest.raises(WorkspaceError, match=r"history\.jsonl cannot be written .*free some space"):
            four.label("m", "live", 1, by="anna")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (four.history("m"), four.labels("m")) == (before, {"live": 1, "stable": 3})
    four.label("m", "other", 2)
    assert [(each.label, each.version, each.who) for each in four.history("m")[-2:]] == [
        ("live", 1, "anna"), ("other", 2, getpass.getuser()),
    ]  # fmt: skip


def test_a_history_that_was_damaged_or_deleted_is_not_fatal(four: Store, make: Make) -> None:
    path = four.base / "m" / HISTORY
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"damaged \xff\n" + b"".join(lines[2:]))
    assert len(four.history("m")) == len(lines) - 1
    path.unlink()
    assert (four.history("m"), four.publish(make("e"), "m"), four.labels("m")) == ((), 5, {"stable": 3})
    assert four.gate("m", 3) == "ungated"  # nobody knows any more


def test_rollback_goes_back_and_forth(four: Store) -> None:
    assert four.before("m") == 2
    assert [four.rollback("m") for _ in range(4)] == [2, 3, 2, 3]
    assert four.rollback("m", to=1) == 1
    assert four.labels("m") == {"stable": 1}
    assert (four.before("m"), four.rollback("m")) == (3, 3)
    four.unlabel("m", "stable")
    assert four.rollback("m") == 3


def test_rollback_tries_and_judges_only_what_the_label_never_meant(four: Store) -> None:
    tried: list[object] = []
    four.rollback("m", to=1, bless=tried.append)
    assert tried == []
    four.rollback("m", to=4, bless=tried.append)
    assert tried == [four.base / "m" / "4"]


def test_rollback_passes_over_what_is_gone(four: Store) -> None:
    four.label("m", "stable", 4, bless=None)
    (four.base / "m" / "3").rename(four.base / "taken-away")
    assert four.rollback("m") == 2


def test_where_there_is_no_way_back_is_said(four: Store) -> None:
    with pytest.raises(BadInputError, match=r"label must have meant another version .*, got 'live'; .*1, 2, 3, 4"):
        four.rollback("m", "live")
    four.label("m", "live", 1)
    with pytest.raises(BadInputError, match="label must have meant another version"):
        four.rollback("m", "live")
    with pytest.raises(BadInputError, match="version must be one of 1, 2, 3, 4, got 9"):
        four.rollback("m", to=9)
    with pytest.raises(BadInputError, match="name must be a model in"):
        four.rollback("other")
    assert not (four.base / "other").exists()


def test_collect_keeps_the_newest_what_labels_mean_and_the_way_back(four: Store, make: Make) -> None:
    for content in "efgh":
        four.publish(make(content), "m")
    four.label("m", "live", 5)
    assert four.collect("m", 2) == [1, 4, 6]
    assert list(four.versions("m")) == [2, 3, 5, 7, 8]
    assert four.collect("m", 2) == []
    assert four.rollback("m") == 2
    assert four.publish(make("i"), "m") == 9
    assert not [path.name for path in (four.base / "m").iterdir() if path.name.startswith((".old", ".new"))]


@pytest.mark.parametrize("keep", [0, -1, True, 1.5, None])
def test_at_least_one_is_kept(four: Store, keep: int) -> None:
    with pytest.raises(BadInputError, match="keep must be a whole number of at least 1"):
        four.collect("m", keep)
    assert list(four.versions("m")) == [1, 2, 3, 4]


def test_nothing_is_deleted_where_labels_cannot_be_read(four: Store) -> None:
    (four.base / "m" / "labels.json").write_text("{")
    with pytest.raises(WorkspaceError, match=r"labels\.json"):
        four.collect("m", 1)
    assert list(four.versions("m")) == [1, 2, 3, 4]


def test_how_each_version_stands(four: Store, make: Make) -> None:
    four.publish(make("e"), "m")
    (four.base / "m" / "9").mkdir()
    stands = [(one.version, one.gate, one.labels, one.format) for one in four.stored("m")]
    assert stands[2:] == [
        (3, "overridden", ("stable",), "onnx"), (4, "overridden", (), "onnx"), (5, "ungated", (), "onnx"),
        (9, "ungated", (), ""),
    ]  # fmt: skip
    assert four.names() == ["m"]


def test_a_long_history_is_walked_and_not_held(four: Store) -> None:
    folder = four.base / "m"
    line = (folder / HISTORY).read_bytes().splitlines(keepends=True)[-1]
    with (folder / HISTORY).open("ab") as file:
        file.writelines([line] * 20_000)
    tracemalloc.start()
    try:
        four.before("m")
        four.gate("m", 1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20
