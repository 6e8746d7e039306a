"""The compression lab in a real browser: a slider moves the numbers, a sweep tells its price, the map its ways."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Dashboard, Visit

    from workbench.core.artifact import Artifact

pytestmark = pytest.mark.ui

LONG = 60_000


@pytest.fixture
def page(visit: Callable[..., Visit], compression_lab: Dashboard, model: Artifact) -> Page:
    """The lab with the trained model chosen, as a link opens it."""
    folder = model.folder.relative_to(compression_lab.home).as_posix()
    return visit(url=f"{compression_lab.url}&artifact={folder}").page


def test_a_slider_moves_accuracy_and_bytes(page: Page) -> None:
    compress = page.locator(".wb-place-compress")
    tiles = compress.locator(".wb-tiles")
    expect(compress.locator(".wb-chip").first).to_have_text("live", timeout=LONG)
    expect(tiles.first).to_contain_text(re.compile(r"measured on (all )?\d"), timeout=LONG)
    expect(tiles.nth(1)).to_contain_text("Size gzip'd")
    before = [tiles.nth(n).inner_text() for n in (0, 1)]
    handle = compress.locator("[data-slider=sparsity] input[type=range]").first
    handle.focus()
    page.keyboard.press("End")
    for n in (0, 1):
        expect(tiles.nth(n)).not_to_have_text(before[n], timeout=LONG, use_inner_text=True)
    expect(tiles.first).to_contain_text(re.compile(r"measured on (all )?\d"))
    expect(compress.locator("[data-wb=error]")).to_be_hidden()


def test_a_kernel_stays_light_while_sliders_move(page: Page, compression_lab: Dashboard) -> None:
    compress = page.locator(".wb-place-compress")
    tile = compress.locator(".wb-tiles").first
    expect(tile).to_contain_text(re.compile(r"measured on (all )?\d"), timeout=LONG)
    handles = compress.locator("[data-slider] input[type=range]")
    for turn in range(12):
        before = tile.inner_text()
        handles.nth(turn % 2).focus()
        page.keyboard.press("Home" if turn // 2 % 2 else "End")
        expect(tile).not_to_have_text(before, timeout=LONG, use_inner_text=True)
    mine = page.evaluate("JSON.parse(document.getElementById('wb-config').textContent).kernelId")
    kernel = next(kernel for kernel in compression_lab.kernels if mine in " ".join(kernel.cmdline()))
    assert kernel.memory_full_info().uss < 200e6


def test_a_sweep_tells_what_it_costs_before_it_starts(page: Page) -> None:
    sweep = page.locator(".wb-place-sweep")
    expect(sweep).to_contain_text(re.compile(r"\d+ points, \d+ jobs, about "), timeout=LONG)
    expect(sweep.locator("[data-action=start]")).to_be_enabled()


def test_the_map_shows_where_the_model_can_go(page: Page) -> None:
    convert = page.locator(".wb-place-convert")
    for node in ("tflite/int8", "onnx/float32"):
        expect(convert.locator(f"[data-node='{node}']")).to_be_visible(timeout=LONG)
    convert.locator("[data-node='tflite/int8']").click()
    expect(convert.locator("[data-action=convert]")).to_be_enabled()
