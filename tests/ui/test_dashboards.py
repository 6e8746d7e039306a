"""Each dashboard in a real browser: it opens whole, fits a phone, and its panels hang together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

import workbench as wb
from workbench.core.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Dashboard, Visit

    from workbench.core.artifact import Artifact

pytestmark = pytest.mark.ui

LONG = 60_000
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


def draw_seven(page: Page) -> None:
    canvas = page.locator("[data-pad=canvas]")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    at = [
        (box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in ((0.3, 0.2), (0.7, 0.2), (0.45, 0.85))
    ]
    page.mouse.move(*at[0])
    page.mouse.down()
    for x, y in at[1:]:
        page.mouse.move(x, y, steps=6)
    page.mouse.up()


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
    draw_seven(page)
    expect(card).to_have_attribute("data-stroke", re.compile(r"\d+"))
    expect(draw.locator("[data-answers=verdict]")).to_contain_text("say")
    expect(draw.locator(".wb-pixel-row canvas")).to_have_count(1)
    seen.shot(f"{name}-drawn-1280-light")
    draw.locator("[data-action=keep-7]").click()
    expect(draw.locator(".wb-kept")).to_contain_text("Kept as 7 in the hard set drawn")
    page.locator("[data-pad=canvas]").press("Escape")
    expect(card).not_to_have_attribute("data-stroke", re.compile(r"\d+"))
