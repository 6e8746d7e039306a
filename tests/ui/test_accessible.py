"""What axe-core, which looks at pages as assistive software does, finds on the dashboards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Dashboard, Visit

pytestmark = pytest.mark.ui

GRAVE = ("serious", "critical")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["dashboard", "compression_lab", "serving_desk"])
def test_nothing_grave_stands_in_the_way(
    visit: Callable[..., Visit], request: pytest.FixtureRequest, name: str, *, dark: bool
) -> None:
    shown: Dashboard = request.getfixturevalue(name)
    page = visit(url=shown.url, dark=dark).page
    page.locator(".wb-panel h2").first.wait_for()
    found = Axe().run(page).response["violations"]
    grave = {one["id"]: [node["html"][:200] for node in one["nodes"]] for one in found if one["impact"] in GRAVE}
    assert grave == {}
