"""A link carries what is chosen, and nothing of outside the workspace."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from workbench.core.errors import BadInputError
from workbench.panels.parts.link import opened, written
from workbench.panels.session import Session
from workbench.panels.train import TrainPanel

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.artifact import Artifact
    from workbench.core.workspace import Workspace

RUN = "train-20261125T120000Z-0123abcd"


@pytest.fixture
def place(fresh_workspace: Workspace) -> Workspace:
    for folder in (fresh_workspace.runs / RUN / "result", fresh_workspace.sweeps / "first sweep"):
        folder.mkdir(parents=True)
    return fresh_workspace


def test_what_is_chosen_goes_both_ways(place: Workspace) -> None:
    chosen = {
        "dataset": "wine", "artifact": str(place.runs / RUN / "result"), "sweep": "first sweep", "server": RUN,
        "place": "",
    }  # fmt: skip
    query = written(chosen, place)
    assert query == f"?dataset=wine&artifact=runs/{RUN}/result&sweep=first+sweep&server={RUN}"
    assert opened(query, place) == {name: value for name, value in chosen.items() if value}


def test_nothing_chosen_is_no_query_and_paths_of_elsewhere_stay_here(place: Workspace, tmp_path: Path) -> None:
    assert written({}, place) == ""
    assert written({"artifact": str(tmp_path / "model"), "dataset": "/data/own.npz"}, place) == ""


@pytest.mark.parametrize(
    "query",
    [
        "?artifact=../../etc", "?artifact=/etc", "?artifact=runs/none", "?sweep=../runs", "?sweep=none",
        "?dataset=../x", "?server=../../x", "?server=none", f"?sweep={'x' * 600}", "?sweep=a%00b", "?artifact=%2e%2e",
    ],
)  # fmt: skip
def test_what_is_not_here_is_one_sentence(place: Workspace, query: str) -> None:
    with pytest.raises(BadInputError, match="must"):
        opened(query, place)


def test_a_way_out_of_the_workspace_is_none(place: Workspace, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (place.home / "way").symlink_to(tmp_path / "secret")
    with pytest.raises(BadInputError, match="artifact of this link must be in this workspace, got 'way'"):
        opened("?artifact=way", place)


def test_what_else_stands_in_an_address_is_left_alone(place: Workspace) -> None:
    assert opened("?token=x&WORKBENCH_ROLE=operator&may_act=1&sweep=first+sweep", place) == {"sweep": "first sweep"}


def test_a_session_keeps_its_link_and_a_bad_one_changes_nothing(place: Workspace) -> None:
    session = Session(place)
    session.open_link("?dataset=wine&sweep=first+sweep")
    assert session.presence.link == "?dataset=wine&sweep=first+sweep"
    with pytest.raises(BadInputError):
        session.open_link("?dataset=digits&sweep=gone")
    assert session.dataset == "wine"
    session.close()


@pytest.mark.parametrize("chosen", ["/models/by a link", ""])
def test_a_model_that_a_link_chose_is_not_replaced_by_the_one_made_last(
    trained: Artifact, workspace: Workspace, chosen: str
) -> None:
    session, shown = Session(workspace), threading.Event()
    session.artifact = chosen
    session.observe(lambda _change: shown.set(), "variants")
    panel = TrainPanel(session)
    assert shown.wait(60)
    with session.live.lock:  # what comes of the news is done by then
        assert (session.artifact == chosen) == bool(chosen)
    panel.close()
    session.close()
    assert trained.folder.is_dir()
