"""Each dashboard in a real browser: it opens whole, fits a phone, and its panels hang together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

import workbench as wb
from workbench.core.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Dashboard, Visit

    from workbench.core.artifact import Artifact

pytestmark = pytest.mark.ui

LONG = 60_000
MOST_BYTES = 300_000  # what the workspace holds is in it
PANELS = {
    "workshop": (
        "jobs",
        "load_dataset",
        "train",
        "evaluate",
        "draw",
        "compress",
        "sweep",
        "convert",
        "serve",
        "monitor",
    ),
    "classroom": ("jobs", "train", "evaluate", "draw", "compress"),
    "compression_lab": ("load_dataset", "train", "compress", "sweep", "evaluate", "convert"),
    "serving_desk": ("serve", "monitor", "draw"),
}


@pytest.fixture(scope="module", params=sorted(PANELS))
def running(
    request: pytest.FixtureRequest,
    start: Callable[..., Dashboard],
    dashboard: Dashboard,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, Dashboard]]:
    """One dashboard after the other, on the workspace and the cluster of the others."""
    one = start(dashboard.home, tmp_path_factory.mktemp("empty"), name=request.param)
    yield request.param, one
    one.stop()


def made(home: Workspace) -> Artifact:
    """Return a model that answers a drawing: trained, and converted to ONNX."""
    trained = wb.train("digits", "docs", epochs=2, seed=11, workspace=home)
    wb.convert(trained, "onnx", workspace=home)
    return trained


def test_it_opens_whole_and_fits_a_phone(visit: Callable[..., Visit], running: tuple[str, Dashboard]) -> None:
    name, one = running
    for width, dark in ((1280, False), (1280, True), (390, False)):
        seen = visit(url=one.url, width=width, dark=dark)
        for verb in PANELS[name]:
            expect(seen.page.locator(f".wb-place-{verb} h2").first).to_be_visible()
        expect(seen.page.locator("[data-wb=error]:visible")).to_have_count(0)
        assert seen.page.evaluate("document.documentElement.scrollWidth") == width
        seen.shot(f"{name}-{width}-{'dark' if dark else 'light'}")
        seen.context.close()


def test_what_comes_over_the_socket_is_states_and_not_scripts(
    visit: Callable[..., Visit], running: tuple[str, Dashboard]
) -> None:
    context = visit(url=running[1].url).context
    page, came = context.new_page(), list[int]()
    page.on("websocket", lambda socket: socket.on("framereceived", lambda data: came.append(len(data))))
    page.goto(running[1].url.partition("?")[0])
    page.wait_for_selector("body[data-wb-ready]")
    assert 0 < sum(came) < MOST_BYTES


def test_where_a_table_is_chosen_the_pad_goes(visit: Callable[..., Visit], running: tuple[str, Dashboard]) -> None:
    name, one = running
    if not {"draw", "load_dataset"} <= set(PANELS[name]):
        pytest.skip("it has no pad, or no data to choose")
    page = visit(url=one.url).page
    expect(page.locator("[data-pad=canvas]")).to_be_visible()
    page.locator(".wb-place-load_dataset [data-field=dataset] select").select_option(label="Wine (scikit-learn)")
    expect(page.locator("[data-pad=canvas]")).to_be_hidden(timeout=LONG)
    expect(page.locator(".wb-place-draw")).to_contain_text("its rows cannot be drawn")


def test_a_step_leads_to_its_panel_and_a_link_to_what_was_chosen(
    visit: Callable[..., Visit], running: tuple[str, Dashboard]
) -> None:
    name, one = running
    if "jobs" not in PANELS[name]:
        pytest.skip("it has no road to step on")
    page = visit(url=one.url).page
    page.locator("[data-step=compress]").click()
    expect(page.locator("[data-step=compress]")).to_have_attribute("aria-current", "step")
    expect(page.locator(".wb-place-compress")).to_be_in_viewport()
    expect(page).to_have_url(re.compile(r"\?.*place=compress"))
    again = visit(url=f"{one.url}&{page.url.split('?')[1]}").page
    expect(again.locator("[data-step=compress]")).to_have_attribute("aria-current", "step")


def test_a_link_out_of_the_workspace_is_refused_in_a_sentence(
    visit: Callable[..., Visit], running: tuple[str, Dashboard]
) -> None:
    page = visit(url=f"{running[1].url}&artifact=../../etc").page
    expect(page.locator("[data-wb=error]:visible").first).to_contain_text("artifact of this link must be in this")


def test_a_drawing_is_answered_and_kept(
    visit: Callable[..., Visit], running: tuple[str, Dashboard], dashboard: Dashboard
) -> None:
    name, one = running
    if "draw" not in PANELS[name]:
        pytest.skip("it has no pad")
    folder = made(Workspace.at(dashboard.home)).folder.relative_to(dashboard.home).as_posix()
    seen = visit(url=f"{one.url}&artifact={folder}")
    page, draw = seen.page, seen.page.locator(".wb-place-draw")
    card = draw.locator(".wb-answers-card").first
    expect(card).to_be_visible(timeout=LONG)
    seen.draw_seven()
    expect(card).to_have_attribute("data-stroke", re.compile(r"\d+"))
    expect(draw.locator("[data-answers=verdict]")).to_contain_text("say")
    expect(draw.locator(".wb-pixel-row canvas")).to_have_count(1)
    seen.shot(f"{name}-drawn-1280-light")
    draw.locator("[data-action=keep-7]").click()
    expect(draw.locator(".wb-kept")).to_contain_text("Kept as 7 in the hard set drawn")
    page.locator("[data-pad=canvas]").press("Escape")
    expect(card).not_to_have_attribute("data-stroke", re.compile(r"\d+"))
