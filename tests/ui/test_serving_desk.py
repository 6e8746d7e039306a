"""The serving desk in a real browser: a server is started, asked, watched and stopped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

import workbench as wb
from workbench.core.workspace import Workspace
from workbench.serve.sandbox import attach_server, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Dashboard, Visit

    from workbench.core.artifact import Artifact

pytestmark = pytest.mark.ui

LONG = 60_000


@pytest.fixture
def seen(visit: Callable[..., Visit], serving_desk: Dashboard, model: Artifact) -> Iterator[Visit]:
    """The desk with the ONNX model chosen; servers that a failed test leaves are stopped."""
    workspace = Workspace.at(serving_desk.home)
    served = wb.convert(model, "onnx", workspace=workspace).folder.relative_to(serving_desk.home).as_posix()
    yield visit(url=f"{serving_desk.url}&artifact={served}")
    for folder in running(workspace):
        attach_server(folder, workspace).stop()


def ask(page: Page) -> None:
    serve = page.locator(".wb-place-serve")
    serve.get_by_role("tab", name="Try a request").click()
    serve.locator("[data-action=ask]").click()
    expect(serve).to_contain_text(re.compile(r"Answered in [\d.]+ ms"), timeout=LONG)


def test_a_server_is_started_asked_watched_and_stopped(seen: Visit) -> None:
    page = seen.page
    serve, monitor = page.locator(".wb-place-serve"), page.locator(".wb-place-monitor")
    chip = serve.locator(".wb-chip").first
    serve.locator("[data-action=start]").click(timeout=LONG)
    expect(chip).to_have_text("ready", timeout=LONG)
    ask(page)
    expect(serve.locator(".wb-tiles:visible", has_text="Answered after")).to_contain_text(re.compile(r"[\d.]+ ms"))
    expect(monitor.locator(".wb-chip").first).to_have_text("watching", timeout=LONG)
    expect(monitor.locator(".wb-tiles").first).to_contain_text("Requests a second")
    expect(page.locator("[data-wb=error]:visible")).to_have_count(0)
    seen.shot("serving_desk-asked-1280-light")
    serve.locator("[data-action=stop]").click()
    expect(chip).to_have_text("stopped", timeout=LONG)
    expect(serve.locator("[data-action=stop]")).to_be_disabled()
    expect(page.locator("[data-wb=error]:visible")).to_have_count(0)
