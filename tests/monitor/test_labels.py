"""Labels that come later: kept whole, and the last word counts."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from workbench.core.errors import BadInputError, WorkspaceError
from workbench.monitor.labels import NAME, label, read_labels

if TYPE_CHECKING:
    from pathlib import Path


def test_labels_are_read_as_they_were_told(tmp_path: Path) -> None:
    assert read_labels(tmp_path) == {}
    label(tmp_path, {"a": 3, "b": (1, 2)})
    label(tmp_path, {})
    label(tmp_path, {"a": 5})
    assert read_labels(tmp_path) == {"a": (5,), "b": (1, 2)}


def test_what_a_crash_tore_harms_no_other(tmp_path: Path) -> None:
    label(tmp_path, {"a": 3, "b": 4})
    path = tmp_path / "requests" / NAME
    path.write_bytes(path.read_bytes()[:-5])
    label(tmp_path, {"c": 1})
    assert read_labels(tmp_path) == {"a": (3,), "c": (1,)}


def test_several_may_tell_at_once(tmp_path: Path) -> None:
    threads = [
        threading.Thread(target=lambda at=at: [label(tmp_path, {f"{at}-{i}": i}) for i in range(20)]) for at in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_labels(tmp_path)) == 80


@pytest.mark.parametrize("wrong", [-1, 1.5, True, (), "cat"])
def test_what_is_no_class_is_refused(tmp_path: Path, wrong: Any) -> None:
    with pytest.raises(BadInputError, match="must be classes"):
        label(tmp_path, {"a": wrong})
    assert read_labels(tmp_path) == {}


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="nowhere"):
        label(tmp_path / "nowhere", {"a": 1})


@pytest.mark.parametrize("wrong", [[1, 2], "a", None])
def test_what_does_not_say_whose_label_it_is_is_refused(tmp_path: Path, wrong: Any) -> None:
    with pytest.raises(BadInputError, match="labels must be classes by the request's id"):
        label(tmp_path, wrong)
