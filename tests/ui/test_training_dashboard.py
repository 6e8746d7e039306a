"""The training dashboard, driven in a real browser on digits."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Dashboard, Visit

pytestmark = pytest.mark.ui

TRAIN = ".wb-panel:has(h2:text-is('Train'))"
EVALUATE = ".wb-panel:has(h2:text-is('Evaluate'))"
CHIP = f"{TRAIN} .wb-chip"
LONG = 60_000


def field(page: Page, name: str, panel: str = TRAIN) -> str:
    page.locator(panel).first.wait_for()
    return f"{panel} [data-field={name}]"


def enter(page: Page, name: str, value: str) -> None:
    page.fill(f"{field(page, name)} input", value)
    page.press(f"{field(page, name)} input", "Tab")


def unfold(page: Page) -> None:
    if page.locator(f"{TRAIN} details.wb-fold").get_attribute("open") is None:
        page.click(f"{TRAIN} details.wb-fold summary")


def train(page: Page, *, epochs: int, seed: int, validation: float = 0.1) -> None:
    """Start a run that no other test has asked for."""
    unfold(page)
    for name, value in (("epochs", epochs), ("validation_fraction", validation), ("seed", seed)):
        enter(page, name, str(value))
    page.click("[data-action=train]")


def read_by_keys(page: Page, chart: int, epochs: int, value: str) -> None:
    """Read the validation curve as people do without a pointer: one finite value an epoch, and no more."""
    plot = page.locator(f"{TRAIN} .wb-chart-plot").nth(chart)
    training = page.locator(f"{TRAIN} .wb-chart-key", has_text="training").nth(chart)
    training.click()
    plot.locator("canvas").focus()
    page.keyboard.press("Home")
    for epoch in range(1, epochs + 1):
        expect(plot.locator("[aria-live]")).to_have_text(re.compile(rf"^epoch {epoch}: validation {value}$"))
        page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    expect(plot.locator("[aria-live]")).to_have_text(re.compile(rf"^epoch {epochs}: "))
    page.keyboard.press("Escape")
    training.click()


def points(page: Page) -> int:
    """How many values the accuracy chart can read out."""
    label = page.locator(f"{TRAIN} canvas").first.get_attribute("aria-label") or ""
    return label.count(" %")


def test_train_and_see_the_curve_and_the_matrix(visit: Callable[..., Visit]) -> None:
    one = visit()
    page = one.page
    one.shot("training-empty-1280-light")
    train(page, epochs=6, seed=101)
    expect(page.locator(CHIP)).to_have_text("running", timeout=LONG)
    expect(page.locator(f"{TRAIN} .wb-chart-value").first).not_to_be_empty(timeout=LONG)
    expect(page.locator(f"{TRAIN} .wb-progress-left")).to_contain_text("left", timeout=LONG)
    page.wait_for_selector(f"{TRAIN} .wb-tiles >> text=Validation accuracy")
    one.shot("training-running-1280-light")
    expect(page.locator(CHIP)).to_have_text("done", timeout=LONG)
    expect(page.locator(f"{EVALUATE} .wb-matrix button")).to_have_count(100, timeout=LONG)
    expect(page.locator(f"{EVALUATE} .wb-tiles")).to_contain_text("measured on 359")
    expect(page.locator(f"{EVALUATE} .wb-table tbody tr")).to_have_count(10)
    assert points(page) == 2
    read_by_keys(page, 0, 6, r"\d+(\.\d+)? %")
    read_by_keys(page, 1, 6, r"\d+\.\d+")
    page.click(f"{TRAIN} details.wb-fold summary")
    page.locator("h2").first.click()
    one.shot("training-done-1280-light")
    page.click("#wb-theme")
    one.shot("training-done-1280-dark")


def test_a_reloaded_page_attaches_to_the_run_and_can_cancel_and_resume(visit: Callable[..., Visit]) -> None:
    one = visit()
    page = one.page
    train(page, epochs=499, seed=202)
    expect(page.locator(CHIP)).to_have_text("running", timeout=LONG)
    page.wait_for_selector(f"{TRAIN} .wb-tiles >> text=Training accuracy")
    page.reload()
    expect(page.locator(CHIP)).to_have_text("running", timeout=LONG)
    assert page.input_value(f"{field(page, 'epochs')} input") == "499"
    page.click("[data-action=cancel]")
    expect(page.locator(CHIP)).to_have_text("cancelled")
    one.shot("training-cancelled-1280-light")
    page.click("[data-action=resume]")
    expect(page.locator(CHIP)).to_have_text("running", timeout=LONG)
    page.click("[data-action=cancel]")
    expect(page.locator(CHIP)).to_have_text("cancelled")


def test_two_pages_on_one_workspace_show_the_same_run(visit: Callable[..., Visit]) -> None:
    first, second = visit().page, visit().page
    train(first, epochs=25, seed=303)
    expect(first.locator(CHIP)).to_have_text("running", timeout=LONG)
    expect(second.locator(CHIP)).to_have_text("running")
    expect(first.locator(CHIP)).to_have_text("done", timeout=LONG)
    expect(second.locator(CHIP)).to_have_text("done")
    shown = first.locator(f"{TRAIN} .wb-subtitle").inner_text()
    assert second.locator(f"{TRAIN} .wb-subtitle").inner_text() == shown
    expect(second.locator(f"{EVALUATE} .wb-matrix button")).to_have_count(100, timeout=LONG)


def test_a_bad_value_is_named_beside_its_control(visit: Callable[..., Visit]) -> None:
    one = visit()
    page = one.page
    enter(page, "epochs", "9000")
    error = page.locator(f"{field(page, 'epochs')} .wb-field-error")
    expect(error).to_have_text("epochs must be at most 500, got 9000; it means: passes over the training data.")
    expect(page.locator("[data-action=train]")).to_be_disabled()
    one.shot("training-bad-value-1280-light")
    enter(page, "epochs", "5")
    expect(error).to_be_empty()
    expect(page.locator("[data-action=train]")).to_be_enabled()


def test_data_of_ones_own_is_typed(visit: Callable[..., Visit], tmp_path: Path) -> None:
    one = visit()
    page = one.page
    row = field(page, "dataset")
    error = page.locator(f"{row} .wb-field-error")
    page.select_option(f"{row} select", label="Own file or folder…")
    path = page.get_by_label("Path of the file or folder")
    expect(path).to_be_focused()
    expect(page.locator("[data-action=train]")).to_be_disabled()
    expect(error).to_be_empty()
    one.shot("training-own-data-1280-light")
    file = tmp_path / "stripes.npz"
    path.fill(str(file))
    path.press("Tab")
    expect(error).to_contain_text("a .csv or .npz file, or a folder of class folders, got")
    one.shot("training-own-data-wrong-1280-light")
    labels = np.tile(np.arange(3), 20)
    images = np.zeros((60, 28, 28), np.uint8)
    images[np.arange(60), labels * 4] = 255
    np.savez(file, x=images)
    path.fill(str(tmp_path))
    path.press("Tab")
    expect(error).to_be_empty()
    path.fill(str(file))
    path.press("Tab")
    expect(page.locator(f"{TRAIN} .wb-code, {TRAIN} pre, {TRAIN} code").first).to_contain_text("stripes.npz")
    page.click("[data-action=train]")
    expect(error).to_contain_text("x_train in stripes.npz must be there", timeout=LONG)
    np.savez(file, x=images, y=labels)
    page.click("[data-action=train]")
    expect(page.locator(f"{TRAIN} .wb-subtitle")).to_contain_text("stripes,", timeout=LONG)
    expect(page.locator(CHIP)).to_have_text("done", timeout=LONG)
    page.reload()
    expect(page.locator(f"{row} select option:checked")).to_have_text("stripes")
    one.shot("training-own-data-done-1280-light")


def test_the_error_strip_shows_one_sentence(visit: Callable[..., Visit]) -> None:
    one = visit()
    page = one.page
    page.fill(f"{field(page, 'artifact', EVALUATE)} input", "/no/such/model")
    page.press(f"{field(page, 'artifact', EVALUATE)} input", "Tab")
    page.click("[data-action=evaluate]")
    strip = page.locator(f"{EVALUATE} [data-wb=error]")
    expect(strip).to_contain_text("artifact must be a folder with a manifest.json, got '/no/such/model'")
    one.shot("training-error-strip-1280-light")
    strip.get_by_role("button", name="Dismiss").click()
    expect(strip).to_be_hidden()


def test_the_page_fits_a_phone(visit: Callable[..., Visit]) -> None:
    for dark in (False, True):
        one = visit(width=390, dark=dark)
        assert one.page.evaluate("document.documentElement.scrollWidth") == 390
        one.page.wait_for_function("document.querySelector('canvas').width > 0")
        one.shot(f"training-390-{'dark' if dark else 'light'}")


def test_the_keyboard_reads_the_chart(visit: Callable[..., Visit]) -> None:
    page = visit().page
    if not points(page):
        train(page, epochs=2, seed=404)
        expect(page.locator(CHIP)).to_have_text("done", timeout=LONG)
    page.locator(f"{TRAIN} canvas").first.focus()
    page.keyboard.press("End")
    expect(page.locator(f"{TRAIN} .wb-chart-plot [aria-live]").first).to_contain_text("epoch")
    met = "button,input,select,canvas:not([aria-hidden]),summary"
    named = "e => e.getAttribute('aria-label') || e.textContent || e.labels?.length"
    assert page.evaluate(f"[...document.querySelectorAll('{met}')].every({named})")


def test_a_killed_kernel_leaves_a_way_back_and_the_run_goes_on(
    visit: Callable[..., Visit], dashboard: Dashboard
) -> None:
    one = visit()
    page = one.page
    train(page, epochs=499, seed=505)
    expect(page.locator(CHIP)).to_have_text("running", timeout=LONG)
    mine = page.evaluate("JSON.parse(document.getElementById('wb-config').textContent).kernelId")
    for kernel in dashboard.kernels:
        if mine in " ".join(kernel.cmdline()):
            os.kill(kernel.pid, signal.SIGKILL)
    banner = page.locator("[data-wb=lost]")
    expect(banner).to_be_visible()
    one.shot("training-kernel-lost-1280-light")
    banner.get_by_role("button").click()
    expect(page.locator(CHIP)).to_have_text("running", timeout=LONG)
    page.click("[data-action=cancel]")
    expect(page.locator(CHIP)).to_have_text("cancelled")


def test_kernels_are_light_and_know_no_token(visit: Callable[..., Visit], dashboard: Dashboard) -> None:
    visit()
    token = dashboard.url.split("token=")[1]
    assert dashboard.kernels
    for kernel in dashboard.kernels:
        assert "tensorflow" not in Path(f"/proc/{kernel.pid}/maps").read_text(encoding="utf-8")
        assert kernel.memory_info().rss < 200e6
        assert token not in "\n".join(f"{k}={v}" for k, v in kernel.environ().items())


def test_a_page_that_is_left_gives_its_kernel_back(visit: Callable[..., Visit], dashboard: Dashboard) -> None:
    page = visit().page
    mine = page.evaluate("JSON.parse(document.getElementById('wb-config').textContent).kernelId")
    kernel = next(kernel for kernel in dashboard.kernels if mine in " ".join(kernel.cmdline()))
    page.goto("about:blank")
    kernel.wait(timeout=20)


def test_three_seeds_pause_go_on_and_are_summed_up(visit: Callable[..., Visit]) -> None:
    one = visit()
    page = one.page
    page.locator(TRAIN).first.wait_for()
    unfold(page)
    enter(page, "seeds", "3")
    train(page, epochs=4, seed=301, validation=0.2)
    expect(page.locator(CHIP)).to_have_text("running", timeout=LONG)
    page.click("[data-action=pause]")
    expect(page.locator("[data-action=pause]")).to_have_text("Pausing after this epoch…")
    expect(page.locator(CHIP)).to_have_text("paused", timeout=LONG)
    one.shot("training-paused-1280-light")
    page.click("[data-action=resume]")
    expect(page.locator(f"{TRAIN} .wb-progress")).to_contain_text("3 seeds: validation accuracy", timeout=2 * LONG)
    one.shot("training-seeds-1280-light")
