"""A dashboard's page as one file for those who only look."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.ui.conftest import Visit

pytestmark = pytest.mark.ui


def test_a_saved_copy_shows_the_page_without_script_or_kernel(
    visit: Callable[..., Visit], chromium: Browser, tmp_path: Path
) -> None:
    page = visit().page
    page.fill("[data-field=epochs] input", "7")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save a copy").click()
    file = tmp_path / saved.value.suggested_filename
    saved.value.save_as(file)
    text = file.read_text(encoding="utf-8")
    assert re.search(r"<script|<link|<canvas|https?://(?!www\.w3\.org)", text) is None
    context = chromium.new_context(java_script_enabled=False)
    copy = context.new_page()
    asked: list[str] = []
    copy.on("request", lambda request: asked.append(request.url))
    copy.goto(file.as_uri())
    assert copy.locator("h2").all_inner_texts() == page.locator("h2").all_inner_texts()
    expect(copy.locator("[data-field=epochs] input")).to_have_value("7")
    expect(copy.locator("[data-action=train]")).to_be_disabled()
    expect(copy.locator("body")).to_contain_text("Nothing on this page is live.")
    assert copy.locator(".wb-chart img").count() == page.locator(".wb-chart canvas").count()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    context.close()
