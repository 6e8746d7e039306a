"""Tutorials as their readers have them: in a real JupyterLab, opened again without a kernel, and as a page of Voila."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lab import Lab, command, run_all, start_lab
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Dashboard, Visit

pytestmark = pytest.mark.ui

TUTORIALS = Path(__file__).parents[2] / "notebooks" / "tutorials"
LONG = 180_000
TALL = 1700
FIGURES = 5
KEPT = "img.jp-mod-unconfined"


@pytest.fixture(scope="module")
def lab(dashboard: Dashboard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One that holds two tutorials and is in a hurry."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_FAST", "1")
        running = start_lab(tmp_path_factory.mktemp("lab"), dashboard.home)
    for name in ("03_the_mathematics", "04_compression"):
        shutil.copy(TUTORIALS / f"{name}.ipynb", running.root)
    yield running
    running.stop()


def drag(page: Page, slider: str, to: float) -> None:
    """Drag a slider's handle with the mouse to a share of its length."""
    handle = page.locator(slider).first
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * to, box["y"] + box["height"] / 2, steps=8)
    page.mouse.up()


def test_a_tutorial_runs_and_its_slider_is_dragged(lab: Lab, browse: Callable[..., Visit]) -> None:
    one = browse(lab.begin("04_compression"), height=TALL)
    page = one.page
    run_all(page)
    # The last cell's words: all others ran before it.
    expect(page.get_by_text(re.compile(r"prune_low_magnitude +exists"))).to_be_visible(timeout=LONG)
    expect(page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.error']")).to_have_count(0)
    tiles = page.locator(".wb-tiles").first
    expect(tiles).to_contain_text(re.compile(r"measured on (all )?\d"), timeout=LONG)
    before = tiles.inner_text()
    drag(page, "[data-slider=sparsity] input[type=range]", 0.9)
    expect(tiles).not_to_have_text(before, timeout=LONG, use_inner_text=True)
    one.shot("tutorial-slider-1280-light")
    page.get_by_role("button", name="not at all").click()
    expect(page.locator(".wb-question-told").first).to_contain_text("multiplies by zero")
    one.shot("tutorial-question-1280-light")
    page.close()
    lab.end_kernels()


def test_figures_stay_without_a_kernel(lab: Lab, browse: Callable[..., Visit]) -> None:
    one = browse(lab.begin("03_the_mathematics"), height=TALL)
    page = one.page
    run_all(page)
    expect(page.locator(".wb-figure-plot svg.main-svg:visible")).not_to_have_count(0, timeout=LONG)
    told = page.locator(".wb-figure-summary").first
    before = told.inner_text()
    drag(page, ".wb-panel input[type=range]", 0.8)
    expect(told).not_to_have_text(before, use_inner_text=True)
    expect(page.locator(KEPT)).to_have_count(FIGURES, timeout=LONG)
    command(page, "docmanager:save")
    page.close()
    lab.end_kernels()
    again = browse(lab.address("03_the_mathematics"), height=TALL)
    expect(again.page.locator(f"{KEPT}:visible")).to_have_count(FIGURES, timeout=LONG)
    again.page.locator(KEPT).first.scroll_into_view_if_needed()
    again.shot("tutorial-reopened-1280-light")
    again.page.close()


def test_voila_shows_a_tutorial(lab: Lab, browse: Callable[..., Visit]) -> None:
    one = browse(f"{lab.url}/voila/render/03_the_mathematics.ipynb?token={lab.token}", height=TALL)
    page = one.page
    expect(page.locator(".wb-figure-plot svg.main-svg").first).to_be_visible(timeout=LONG)
    told = page.locator(".wb-figure-summary").first
    before = told.inner_text()
    drag(page, ".wb-panel input[type=range]", 0.8)
    expect(told).not_to_have_text(before, use_inner_text=True)
    one.shot("tutorial-voila-1280-light")
    page.close()
    # Voila's own template asks elsewhere for MathJax and icons, and the browser complains where there is no network.
    one.strangers[:] = [url for url in one.strangers if "//cdn" not in url]
    one.complaints[:] = [said for said in one.complaints if not said.startswith("Failed to load resource: net::")]
