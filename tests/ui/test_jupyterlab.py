"""Each panel's main road in a real JupyterLab, alone in a cell, on digits."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

import nbformat
import pytest
from lab import Lab, command, run_all, start_lab
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
TALL = 1700  # JupyterLab's page does not scroll, its notebook does: a picture shows what is in view


@pytest.fixture(scope="module")
def lab(dashboard: Dashboard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One for all panels, on the workspace and the cluster of the training dashboard."""
    running_lab = start_lab(tmp_path_factory.mktemp("lab"), dashboard.home)
    yield running_lab
    running_lab.stop()


@pytest.fixture(scope="session")
def onnx(dashboard: Dashboard, model: Artifact) -> Artifact:
    """The model's conversion."""
    return wb.convert(model, "onnx", workspace=Workspace.at(dashboard.home))


@pytest.fixture
def show(lab: Lab, browse: Callable[..., Visit]) -> Iterator[Callable[..., Visit]]:
    """Run a notebook that shows a panel, and wait until it is seen."""

    def open_notebook(name: str, *cells: str) -> Visit:
        one = browse(lab.write(name, "import workbench as wb", *cells), height=TALL)
        run_all(one.page)
        expect(one.page.locator(".wb-panel > .wb h2").first).to_be_visible()
        return one

    yield open_notebook
    lab.end_kernels()


@pytest.fixture
def server(dashboard: Dashboard, onnx: Artifact) -> Iterator[None]:
    """A server that runs."""
    with wb.serve(onnx, name="watched", workspace=Workspace.at(dashboard.home)):
        yield


@pytest.fixture
def no_servers_left(dashboard: Dashboard) -> Iterator[None]:
    yield
    workspace = Workspace.at(dashboard.home)
    for folder in running(workspace):
        attach_server(folder, workspace).stop()


def no_complaint(page: Page) -> None:
    expect(page.locator("[data-wb=error]:visible")).to_have_count(0)
    expect(page.locator("[data-wb=lost]:visible")).to_have_count(0)
    expect(page.locator(".wb-field-error:visible").filter(has_text=re.compile(r"\S"))).to_have_count(0)
    assert page.locator(".wb-panel").evaluate("panel => panel.scrollWidth - panel.clientWidth") <= 1


@contextlib.contextmanager
def dark(page: Page) -> Iterator[None]:
    """Choose JupyterLab's dark theme for a while; panels follow without being asked."""
    command(page, "apputils:change-theme", theme="JupyterLab Dark")
    expect(page.locator(":root")).to_have_attribute("data-wb-dark", "")
    expect(page.locator("#jupyterlab-splash")).to_be_hidden()
    yield
    command(page, "apputils:change-theme", theme="JupyterLab Light")
    expect(page.locator(":root")).not_to_have_attribute("data-wb-dark", "")


def enter(page: Page, name: str, value: str) -> None:
    page.fill(f"[data-field={name}] input", value)
    page.press(f"[data-field={name}] input", "Tab")


def test_data_shows_samples_and_balance(show: Callable[..., Visit], model: Artifact) -> None:  # noqa: ARG001 - digits are prepared
    one = show("data", "wb.DataPanel()")
    page = one.page
    expect(page.locator(".wb-tiles")).to_contain_text("1,438", timeout=LONG)
    expect(page.locator(".wb-gallery canvas").first).to_be_visible()
    balance = page.locator(".wb-table", has_text="Balance of the classes").locator("tbody tr")
    expect(balance).to_have_count(10)
    no_complaint(page)
    one.shot("lab-data-1280-light")
    page.select_option("[data-field=dataset] select", label="Wine (scikit-learn)")
    page.click("[data-action=show]")
    expect(page.locator(".wb-tiles")).to_contain_text("13", timeout=LONG)
    expect(balance).to_have_count(3)
    no_complaint(page)


def test_train_runs_to_its_end_and_draws_its_curve(show: Callable[..., Visit]) -> None:
    one = show("train", "wb.TrainPanel()")
    page = one.page
    page.click("details.wb-fold summary")
    for name, value in (("epochs", "2"), ("validation_fraction", "0.1"), ("seed", "606")):
        enter(page, name, value)
    page.click("[data-action=train]")
    expect(page.locator(".wb-subtitle")).to_contain_text("seed 606", timeout=LONG)
    expect(page.locator(".wb-chip")).to_have_text("done", timeout=LONG)
    chart = page.locator(".wb-chart-plot canvas").first
    expect(chart).to_have_attribute("aria-label", re.compile(r"validation.*\d %"))
    no_complaint(page)
    one.shot("lab-train-1280-light")
    with dark(page):
        one.shot("lab-train-1280-dark")


def test_evaluate_shows_the_images_of_a_cell(show: Callable[..., Visit], model: Artifact) -> None:
    one = show("evaluate", f"wb.EvaluatePanel(artifact={str(model.folder)!r})")
    page = one.page
    page.click("[data-action=evaluate]")
    expect(page.locator(".wb-matrix button")).to_have_count(100, timeout=LONG)
    page.click("[data-cell='3,3']")
    expect(page.locator(".wb-gallery-item, .wb-gallery-list button").first).to_contain_text("3")
    expect(page.locator(".wb-figure-plot svg.main-svg").first).to_be_visible(timeout=LONG)
    no_complaint(page)
    one.shot("lab-evaluate-1280-light")


def test_compress_answers_a_slider(show: Callable[..., Visit], model: Artifact) -> None:
    one = show("compress", f"wb.CompressPanel(artifact={str(model.folder)!r})")
    page, tiles = one.page, one.page.locator(".wb-tiles")
    expect(page.locator(".wb-chip").first).to_have_text("live", timeout=LONG)
    expect(tiles.first).to_contain_text(re.compile(r"measured on (all )?\d"), timeout=LONG)
    before = [tiles.nth(n).inner_text() for n in (0, 1)]
    page.locator("[data-slider=sparsity] input[type=range]").first.focus()
    page.keyboard.press("End")
    for n in (0, 1):
        expect(tiles.nth(n)).not_to_have_text(before[n], timeout=LONG, use_inner_text=True)
    expect(tiles.first).to_contain_text(re.compile(r"measured on (all )?\d"))
    no_complaint(page)
    one.shot("lab-compress-1280-light")


def test_sweep_tells_its_cost_and_fills_its_frontier(show: Callable[..., Visit], model: Artifact) -> None:
    one = show("sweep", f"wb.SweepPanel(artifact={str(model.folder)!r})")
    page, note = one.page, one.page.locator(".wb-choices-note")
    expect(note).to_contain_text(re.compile(r"^6 points, \d+ jobs, about \d+ (seconds|minutes)"), timeout=LONG)
    for level in ("0.8", "0.9"):
        page.click(f"[data-axis='magnitude_pruning.sparsity'] [data-level='{level}']")
    enter(page, "epochs", "1")
    expect(note).to_contain_text(re.compile(r"^2 points, \d+ jobs, about \d+ (seconds|minutes)"), timeout=LONG)
    page.click("[data-action=start]")
    expect(page.locator(".wb-chip").first).to_have_text("done", timeout=LONG)
    expect(page.locator(".wb-panel")).to_contain_text("2 of 2 points")
    expect(page.locator(".wb-figure-plot svg.main-svg").first).to_be_visible(timeout=LONG)
    no_complaint(page)
    one.shot("lab-sweep-1280-light")
    with dark(page):
        one.shot("lab-sweep-1280-dark")


def test_convert_goes_a_way_and_tells_its_parity(show: Callable[..., Visit], model: Artifact) -> None:
    one = show("convert", f"wb.ConvertPanel(artifact={str(model.folder)!r})")
    page = one.page
    page.click("[data-node='tflite/float16']")
    page.click("[data-action=convert]")
    row = page.locator(".wb-map-row", has=page.locator("[data-node='tflite/float16']"))
    expect(row.locator(".wb-map-label")).to_contain_text(re.compile(r"\d %"), timeout=LONG)
    expect(page.locator("[data-action=download]")).to_be_enabled()
    no_complaint(page)
    one.shot("lab-convert-1280-light")


@pytest.mark.usefixtures("no_servers_left")
def test_serve_starts_asks_and_stops(show: Callable[..., Visit], onnx: Artifact) -> None:
    one = show("serve", f"wb.ServePanel(artifact={str(onnx.folder)!r})")
    page, chip = one.page, one.page.locator(".wb-chip").first
    page.locator("[data-action=start]").click(timeout=LONG)
    expect(chip).to_have_text("ready", timeout=LONG)
    page.get_by_role("tab", name="Try a request").click()
    page.click("[data-action=ask]")
    expect(page.locator(".wb-panel")).to_contain_text(re.compile(r"Answered in [\d.]+ ms"), timeout=LONG)
    no_complaint(page)
    one.shot("lab-serve-1280-light")
    page.click("[data-action=stop]")
    expect(chip).to_have_text("stopped", timeout=LONG)


@pytest.mark.usefixtures("server")
def test_monitor_shows_live_figures(show: Callable[..., Visit]) -> None:
    one = show("monitor", "wb.MonitorPanel()")
    page = one.page
    expect(page.locator("[data-field=server] select option:checked")).to_contain_text("watched", timeout=LONG)
    expect(page.locator(".wb-chip").first).to_have_text("watching", timeout=LONG)
    expect(page.locator(".wb-tiles").first).to_contain_text("Requests a second")
    no_complaint(page)
    one.shot("lab-monitor-1280-light")


def test_draw_is_answered(show: Callable[..., Visit], model: Artifact) -> None:
    one = show("draw", f"wb.DrawPanel(artifact={str(model.folder)!r})")
    page = one.page
    expect(page.locator(".wb-answers-card").first).to_be_visible(timeout=LONG)
    one.draw_seven()
    card = page.locator(".wb-answers-card[data-stroke]").first
    expect(card.locator(".wb-answers-top")).to_have_text(re.compile(r"^\d$"), timeout=LONG)
    no_complaint(page)
    one.shot("lab-draw-1280-light")


def test_stepper_shows_what_was_done(show: Callable[..., Visit], onnx: Artifact) -> None:  # noqa: ARG001 - two stages are done
    one = show("stepper", "wb.StepperPanel()")
    for stage in ("train", "convert"):
        expect(one.page.locator(f"[data-step={stage}]")).to_have_attribute("data-state", "done", timeout=LONG)
    no_complaint(one.page)
    one.shot("lab-stepper-1280-light")


def test_a_notebook_shows_its_last_figure_when_its_kernel_is_gone(
    lab: Lab, show: Callable[..., Visit], browse: Callable[..., Visit], model: Artifact
) -> None:
    one = show("kept", f"wb.EvaluatePanel(artifact={str(model.folder)!r})")
    one.page.click("[data-action=evaluate]")
    expect(one.page.locator(".wb-figure-plot svg.main-svg").first).to_be_visible(timeout=LONG)
    kept = one.page.locator("img.jp-mod-unconfined")
    expect(kept).to_have_count(1)
    expect(kept).to_be_hidden()
    command(one.page, "docmanager:save")
    one.page.close()
    book = nbformat.read(lab.root / "kept.ipynb", as_version=4)
    assert "image/png" in str(book.cells[-1].outputs)
    lab.end_kernels()
    page = browse(lab.address("kept"), height=TALL).page
    expect(page.locator("img.jp-mod-unconfined")).to_be_visible(timeout=LONG)
    one.page = page
    one.shot("lab-reopened-1280-light")
    expect(page.get_by_text("Error displaying widget")).to_be_hidden()
    expect(page.get_by_text("model not found")).to_be_hidden()


def test_a_question_is_predicted_and_then_answered(lab: Lab, browse: Callable[..., Visit]) -> None:
    one = browse(lab.write("question", "import workbench as wb", 'wb.question("zeros_in_a_file")'))
    page = one.page
    run_all(page)
    told = page.locator(".wb-question-told")
    expect(page.get_by_role("button", name="a fifth")).to_be_visible(timeout=LONG)
    expect(told).to_be_hidden()
    page.get_by_role("button", name="a fifth").press("Enter")
    expect(told).to_contain_text("It is as large as before. A zero takes four bytes")
    expect(page.get_by_role("button", name="a fifth")).to_have_attribute("data-tone", "bad")
    expect(page.get_by_role("button", name="as large as before")).to_have_attribute("data-tone", "good")
    one.shot("lab-question-1280-light")
    lab.end_kernels()
