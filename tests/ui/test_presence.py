"""The banner of a lost kernel: it comes when the kernel is gone, not when page or kernel are busy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, expect

from workbench.widgets.base import house_css
from workbench.widgets.presence import Presence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

pytestmark = pytest.mark.ui

# A kernel that answers what it is asked while `answers` is true, over a socket that may be `closed`.
KERNEL = """async (script) => {
  const heard = [];
  window.kernel = { answers: true, closed: false };
  const model = {
    get: () => "", on: (_name, callback) => heard.push(callback), off: () => {},
    send: (message) => {
      if (kernel.closed) throw new Error("closed");
      if (kernel.answers && message.type === "ping") heard.forEach((tell) => tell({ type: "pong" }));
    },
  };
  const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  (await import(url)).default.render({ model, el: document.body });
}"""


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page that shows the widget alone, with a clock of its own."""
    context = chromium.new_context()
    shown = context.new_page()
    shown.clock.install()
    shown.set_content(f"<style>{house_css()}</style><body></body>")
    shown.evaluate(KERNEL, Presence._esm)
    shown.clock.pause_at("2100-01-01")
    yield shown
    context.close()


@pytest.fixture
def banner(page: Page) -> Locator:
    return page.locator("[data-wb=lost]")


def test_a_kernel_that_is_busy_for_a_while_is_not_lost(page: Page, banner: Locator) -> None:
    page.clock.run_for(60_000)
    page.evaluate("kernel.answers = false")
    page.clock.run_for(25_000)
    expect(banner).to_be_hidden()
    page.evaluate("kernel.answers = true")
    page.clock.run_for(60_000)
    expect(banner).to_be_hidden()


def test_a_long_silence_shows_the_banner_and_an_answer_takes_it_away(page: Page, banner: Locator) -> None:
    page.evaluate("kernel.answers = false")
    page.clock.run_for(45_000)
    expect(banner).to_be_visible()
    page.evaluate("kernel.answers = true")
    page.clock.run_for(5_000)
    expect(banner).to_be_hidden()


def test_a_page_that_stood_still_reads_its_answers_first(page: Page, banner: Locator) -> None:
    page.evaluate("kernel.answers = false")
    page.clock.run_for(10_000)
    page.clock.fast_forward(120_000)  # timers fire once, as after a sleep
    expect(banner).to_be_hidden()


def test_a_socket_that_breaks_for_a_moment_is_no_loss_and_one_that_stays_closed_is(page: Page, banner: Locator) -> None:
    page.evaluate("kernel.closed = true")
    page.clock.run_for(5_000)
    page.evaluate("kernel.closed = false")
    page.clock.run_for(5_000)
    expect(banner).to_be_hidden()
    page.evaluate("kernel.closed = true")
    page.clock.run_for(10_000)
    expect(banner).to_be_visible()


def test_what_the_page_knows_is_said_at_once(page: Page, banner: Locator) -> None:
    page.evaluate("dispatchEvent(new Event('wb-kernel-lost'))")
    expect(banner).to_be_visible()
