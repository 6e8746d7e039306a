"""What every dashboard must do, without a browser."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from tests import messages
from workbench.core import language
from workbench.dashboards import notebooks
from workbench.dashboards.base import Dashboard
from workbench.dashboards.training import Training

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.core.workspace import Workspace

KINDS = messages.units("dashboards", Dashboard)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def app(request: pytest.FixtureRequest, fresh_workspace: Workspace) -> Iterator[Dashboard]:
    made = request.param(fresh_workspace)
    yield made
    made.close()


def test_its_panels_share_one_session_and_start_calm(app: Dashboard) -> None:
    assert list(app.panels) == [kind.verb for kind in app.shows]
    assert repr(app)
    for panel in app.panels.values():
        assert panel.session is app.session
        assert panel.errors.message == ""
        assert panel.form.widget.errors == {}


def test_it_has_a_notebook_of_one_cell() -> None:
    shown = {}
    for name in notebooks.names():
        cells = json.loads(notebooks.find(name).read_text(encoding="utf-8"))["cells"]
        assert len(cells) == 1
        shown[name] = "".join(cells[0]["source"]).split()[-1].removesuffix("()")
    assert sorted(shown.values()) == sorted(kind.__name__ for kind in KINDS)


def test_close_leaves_no_thread(fresh_workspace: Workspace) -> None:
    before = set(threading.enumerate())
    for kind in KINDS:
        kind(fresh_workspace).close()
    assert set(threading.enumerate()) == before


def test_it_speaks_what_the_browser_prefers_and_opens_what_the_address_says(
    fresh_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("language", "suggested"):
        monkeypatch.setattr(language._Chosen, name, None)
    monkeypatch.delenv(language.VARIABLE, raising=False)
    app = Training(fresh_workspace)
    english = app.session.presence
    shown = {"type": "shown", "language": "zh-CN", "query": "?dataset=wine"}
    app.session.presence._handle_custom_msg(shown, [])
    assert app.session.presence is not english
    assert app.panels["train"].heading.title == "训练"
    app.session.presence._handle_custom_msg(shown, [])
    assert app.session.dataset == "wine"
    app.session.presence._handle_custom_msg({**shown, "query": "?artifact=../x"}, [])
    assert "artifact of this link must be in this workspace" in app.panels["train"].errors.message
    app.close()


def test_a_page_for_viewing_says_so(fresh_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    for role, says in (("viewer", True), ("operator", False)):
        monkeypatch.setenv("WORKBENCH_ROLE", role)
        app = Training(fresh_workspace)
        titles = [getattr(child, "title", "") for child in app.children[0].children]
        assert ("This page is for viewing" in titles) is says
        app.close()
