"""Every panel with real content, in each look: nothing is cut off, nothing stands in the way, and CI keeps pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

import workbench as wb
from workbench.core.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Dashboard, Visit

    from workbench.core.artifact import Artifact

pytestmark = pytest.mark.ui

LONG = 60_000
GRAVE = ("serious", "critical")
PICTURES = Path(__file__).parents[2] / "test-artifacts" / "looks"
SHORTER = "input => { input.value = 1; input.dispatchEvent(new Event('change')); }"
FAULTS = Path(__file__).with_name("faults.js").read_text(encoding="utf-8")
PANELS = {
    "stepper": "jobs", "data": "load_dataset", "train": "train", "evaluate": "evaluate", "draw": "draw",
    "compress": "compress", "sweep": "sweep", "convert": "convert", "serve": "serve", "monitor": "monitor",
}  # fmt: skip
LOOKS = {
    "light": {},
    "dark": {"dark": True},
    "zh": {"locale": "zh-CN"},
    "390": {"width": 390},
}


class Filled(NamedTuple):
    """A dashboard of all panels, and the link that chooses what they show."""

    dashboard: Dashboard
    link: str


@pytest.fixture(scope="module")
def filled(
    start: Callable[..., Dashboard],
    dashboard: Dashboard,
    model: Artifact,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Filled]:
    """A workspace in which all of the road was gone, and a server that is asked."""
    home = Workspace.at(dashboard.home)
    workshop = start(home.home, tmp_path_factory.mktemp("empty"), name="workshop")
    data = wb.load_dataset("digits", workspace=home)
    onnx = wb.convert(model, "onnx", workspace=home)
    wb.convert(model, "tflite", numeric="int8", dataset=data, workspace=home)
    wb.evaluate(model, data, workspace=home)
    axes = {"magnitude_pruning.sparsity": [0.5, 0.9], "post_training.numeric": ["float32", "int8"]}
    space = wb.Space([wb.MagnitudePruning(epochs=1), "post_training"], axes)
    wb.sweep(space, model, data, name="looks", share_trajectory=True, workspace=home)
    with wb.serve(onnx, "digits", workspace=home, request_log=True) as server:
        for at in range(40):
            server.client.predict(data.floats("test", slice(at, at + 1)))
        folder = model.folder.relative_to(home.home).as_posix()
        yield Filled(
            workshop, f"{workshop.url}&artifact={folder}&dataset=digits&sweep=looks&server={server.folder.name}"
        )
    workshop.stop()


@pytest.mark.parametrize("look", LOOKS)
def test_every_panel_is_whole(visit: Callable[..., Visit], filled: Filled, look: str) -> None:
    seen = visit(url=filled.link, **LOOKS[look])
    places = {name: seen.page.locator(f".wb-place-{verb}") for name, verb in PANELS.items()}
    # A page that is spoken to in another language is built anew.
    expect(places["compress"].locator("h2")).to_have_text("压缩" if look == "zh" else "Compress", timeout=LONG)
    fill(seen, places)
    hindered = in_the_way if look in ("light", "dark") else lambda _page, _part: []
    faults = hindered(seen.page, "body")
    for panel, place in places.items():
        for tab in tabs(place):
            picture(place, f"{panel}{tab}-{look}")
            faults += [f"{panel}{tab}: {fault}" for fault in place.evaluate(FAULTS)]
            faults += hindered(seen.page, f".wb-place-{PANELS[panel]} .wb-sections") if tab else []
    assert not faults, "\n".join(faults)
    expect(seen.page.locator("[data-wb=error]:visible")).to_have_count(0)


def fill(seen: Visit, places: dict[str, Locator]) -> None:
    """Do what fills the panels, and wait until they are full."""
    compress, convert, serve, draw = (places[name] for name in ("compress", "convert", "serve", "draw"))
    handle = compress.locator("[data-slider=sparsity] input").first
    expect(handle).to_be_enabled(timeout=LONG)
    handle.focus()
    for _ in range(6):
        handle.press("PageUp")
    for place, action in ((compress, "damage"), (compress, "scan")):
        place.locator(f"[data-action={action}]").click(timeout=LONG)
    convert.locator("[data-node='tflite/int8']").click()
    convert.locator("[data-action=diff]").click(timeout=LONG)
    serve.locator("[data-field=seconds] input").evaluate(SHORTER)
    for tab, action in (("request", "ask"), ("load", "load")):
        serve.locator(f"[data-tab={tab}]").click()
        serve.locator(f"[data-action={action}]").click(timeout=LONG)
    places["evaluate"].locator("[data-cell]").first.click(timeout=LONG)
    expect(draw.locator(".wb-answers-card").nth(2)).to_be_visible(timeout=LONG)
    seen.draw_seven()
    expect(draw.locator(".wb-answers-card[data-stroke]").nth(2)).to_be_visible(timeout=LONG)
    for place, full in (
        (places["stepper"], "[data-step=serve][data-state=running]"), (places["data"], "[data-sample]"),
        (places["train"], "tbody tr"), (places["sweep"], "[data-figure=drawn]"), (compress, ".wb-heat tbody button"),
        (compress, ".wb-pictures-list img"), (convert, "tbody tr:has-text('conv1/kernel')"),
        (serve, "[data-action=ask]:enabled"), (serve, "[data-action=load]:enabled"), (places["monitor"], ".wb-chip"),
    ):  # fmt: skip
        expect(place.locator(full)).not_to_have_count(0, timeout=LONG)


def tabs(place: Locator) -> Iterator[str]:
    """Open one tab of a panel after the other and give `-` and its name; a panel without tabs is seen as it is."""
    names = place.locator("[role=tab]").evaluate_all("tabs => tabs.map(tab => tab.dataset.tab)")
    for name in names:
        tab = place.locator(f"[data-tab={name}]")
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")
        yield f"-{name}"
    if not names:
        yield ""


def picture(place: Locator, name: str) -> None:
    """Take a picture of a panel, as it is without the page that scrolls around it."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    still = ".wb-grid.wb-aside > :last-child { position: static !important; }"
    place.screenshot(path=PICTURES / f"{name}.png", animations="disabled", style=still)


def in_the_way(page: Page, part: str) -> list[str]:
    """Return what hinders people with assistive software in a part of the page."""
    found = Axe().run(page, context={"include": [[part]]}).response["violations"]
    return [f"{one['id']}: {node['html'][:150]}" for one in found if one["impact"] in GRAVE for node in one["nodes"]]
