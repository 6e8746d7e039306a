"""A process of a viewer's reads all and changes nothing, whatever is called in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from workbench.core.errors import BadInputError
from workbench.core.role import OPERATOR, VARIABLE, VIEWER, may_act
from workbench.core.workspace import Workspace, write_atomic
from workbench.jobs import jobs, stop_cluster, submit
from workbench.pipeline.hard_set import hard_set

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REFUSED = "^this page must be an operator's to do that, got 'a page for viewing'; ask whoever shares it"


@pytest.fixture
def viewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, VIEWER)


@pytest.mark.parametrize(("role", "may"), [(OPERATOR, True), (VIEWER, False), ("", False), ("root", False)])
def test_only_an_operator_may_act(monkeypatch: pytest.MonkeyPatch, role: str, *, may: bool) -> None:
    monkeypatch.setenv(VARIABLE, role)
    assert may_act() is may


def test_who_started_python_is_an_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert may_act()


CHANGES: dict[str, Callable[[Workspace], object]] = {
    "a file": lambda place: write_atomic(place.home / "note", "text"),
    "a job": lambda place: submit("probe_stages:echo", {}, kind="probe", workspace=place),
    "trust": lambda place: place.trust("0" * 64),
    "the cluster": stop_cluster,
    "a sample": lambda place: hard_set("drawn", workspace=place).add(np.zeros((8, 8)), 0, "drawn"),
}


@pytest.mark.usefixtures("viewer")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_nothing_is_changed(change: Callable[[Workspace], object], tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=REFUSED):
        change(Workspace.at(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_viewer_reads_what_was_made_and_ends_nothing(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"stage": "probe_stages:hold", "settings": {"of": "a viewer"}, "kind": "probe", "workspace": workspace}
    running = submit(**asked)
    try:
        monkeypatch.setenv(VARIABLE, VIEWER)
        assert running in jobs(workspace)
        assert submit(**asked) == running
        with pytest.raises(BadInputError, match=REFUSED):
            running.cancel()
        assert running.state in ("queued", "running")
    finally:
        monkeypatch.setenv(VARIABLE, OPERATOR)
        running.cancel()
