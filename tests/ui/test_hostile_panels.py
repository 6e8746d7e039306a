"""What goes wrong behind a page: processes are killed, two tabs pull, names carry script. Pages say so and go on."""

from __future__ import annotations

import io
import re
import signal
import tempfile
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
import psutil
import pytest
from playwright.sync_api import expect
from probing import cluster_pid, kill, until

import workbench as wb
from workbench.core.workspace import Workspace
from workbench.jobs import Job
from workbench.serve.sandbox import attach_server, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Dashboard, Visit
    from playwright.sync_api import Browser

    from workbench.core.artifact import Artifact

pytestmark = pytest.mark.ui

LONG = 150_000  # of what a busy machine may take
NUMERICS = ("float32", "dynamic", "int16x8", "int4")  # besides those that are chosen at first
SCRIPT = "<img src=x onerror=window.pwned=1>"


def worker_of_cluster(home: Path) -> psutil.Process:
    """Return the cluster's Dask worker: the child that has a forkserver."""
    for child in psutil.Process(cluster_pid(Workspace.at(home))).children():
        if any("forkserver" in " ".join(each.cmdline()) for each in child.children()):
            return child
    raise AssertionError("the cluster has no worker with a forkserver")


def at_work(worker: psutil.Process) -> list[psutil.Process]:
    """Return the children that compute a job now: those of its forkserver."""
    return [each for each in worker.children(recursive=True) if each.ppid() != worker.pid]


def at(folder: Path, home: Path) -> str:
    return f"&artifact={folder.relative_to(home).as_posix()}"


def test_a_killed_worker_costs_a_sweep_no_point(
    visit: Callable[..., Visit], compression_lab: Dashboard, model: Artifact
) -> None:
    home = compression_lab.home
    page = visit(url=compression_lab.url + at(model.folder, home)).page
    sweep = page.locator(".wb-place-sweep")
    # Conversions alone: each is a job of a second.
    for level in ("Pruning: 50%", "Pruning: 80%", "Pruning: 90%", *(f"Numeric type: {n}" for n in NUMERICS)):
        sweep.get_by_role("button", name=level, exact=True).click()
    expect(sweep.locator(".wb-choices-note")).to_contain_text("6 points, 6 jobs", timeout=LONG)
    sweep.locator("[data-action=start]").click()
    points = until(lambda: next((home / "sweeps").glob("*/points.jsonl"), None), LONG / 1000)
    until(lambda: points.stat().st_size and at_work(worker_of_cluster(home)))
    before = points.read_bytes()
    kill(worker_of_cluster(home))
    expect(sweep.locator(".wb-chip").first).to_have_text("done", timeout=LONG)
    expect(sweep).to_contain_text("6 of 6 points")
    expect(sweep).not_to_contain_text("failed")
    assert 0 < before.count(b"\n") < len(NUMERICS) + 2
    assert points.read_bytes().startswith(before)
    expect(page.locator("[data-wb=error]:visible")).to_have_count(0)


@pytest.fixture
def served(serving_desk: Dashboard, model: Artifact) -> Iterator[Path]:
    """Folder of a model that a server answers with; servers that are left are stopped."""
    workspace = Workspace.at(serving_desk.home)
    yield wb.convert(model, "onnx", workspace=workspace).folder
    for folder in running(workspace):
        attach_server(folder, workspace).stop()


def test_a_killed_server_is_told_of_and_the_next_one_is_shown(
    visit: Callable[..., Visit], serving_desk: Dashboard, served: Path
) -> None:
    seen = visit(url=serving_desk.url + at(served, serving_desk.home))
    serve, monitor, draw = (seen.page.locator(f".wb-place-{name}") for name in ("serve", "monitor", "draw"))
    card = draw.locator(".wb-answers-card", has_text="server model")

    def start_and_look() -> None:
        serve.locator("[data-action=start]").click(timeout=LONG)
        for panel, word in ((serve, "ready"), (monitor, "watching")):
            expect(panel.locator(".wb-chip").first).to_have_text(word, timeout=LONG)
        expect(card).to_contain_text("served, version 1", timeout=LONG)

    start_and_look()
    seen.draw_seven()
    expect(card).to_contain_text(re.compile(r"[\d.]+ ms"), timeout=LONG)
    pid = attach_server("model", Workspace.at(serving_desk.home)).pid
    assert pid is not None
    kill(pid)
    expect(serve.locator(".wb-chip").first).to_have_text("failed", timeout=LONG)
    expect(serve.locator("[data-wb=error]")).to_contain_text("the server of model was killed by SIGKILL")
    expect(monitor).to_contain_text("model failed", timeout=LONG)
    expect(card).to_contain_text("was killed by SIGKILL", timeout=LONG)
    seen.shot("hostile-server-killed")
    start_and_look()
    expect(card).to_contain_text(re.compile(r"[\d.]+ ms"), timeout=LONG)
    expect(seen.page.locator("[data-wb=error]:visible")).to_have_count(0)


@pytest.fixture
def _what_is_left_is_cleared(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Who is killed clears nothing away; the folder's path is short, for the sockets of kernels."""
    with tempfile.TemporaryDirectory(prefix="wb-") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield


@pytest.mark.usefixtures("_what_is_left_is_cleared")
def test_a_dashboard_that_restarts_shows_a_way_back_to_what_was_seen(
    chromium: Browser, start: Callable[..., Dashboard], dashboard: Dashboard, model: Artifact, tmp_path: Path
) -> None:
    first = start(dashboard.home, tmp_path)
    # No `visit`: a page whose server is gone complains in the console, as it should.
    page = chromium.new_context().new_page()
    page.goto(first.url + at(model.folder, dashboard.home))
    page.wait_for_selector("body[data-wb-ready]")
    expect(page.locator(".wb-chip").first).not_to_be_empty(timeout=LONG)
    seen, address = page.locator(".wb-subtitle").first.inner_text(), page.url
    kernels = first.kernels
    first.stop(signal.SIGKILL)
    banner = page.locator("[data-wb=lost]")
    expect(banner).to_be_visible(timeout=LONG)
    banner.get_by_role("button").click()
    expect(banner).to_contain_text("The server of this page does not answer.")
    assert psutil.wait_procs(kernels, timeout=60)[1] == []
    second = start(dashboard.home, tmp_path, port=urlsplit(first.url).port)
    try:
        banner.get_by_role("button").click()
        # Whoever started it again was given a new token, and the old one opens nothing any more.
        page.locator("[name=password]").first.fill(second.url.split("token=")[1])
        page.locator("#login_submit").click()
        page.wait_for_selector("body[data-wb-ready]")
        assert page.url == address
        expect(page.locator(".wb-subtitle").first).to_have_text(seen, timeout=LONG)
        expect(page.locator(".wb-place-evaluate [data-field=artifact] input")).to_have_value(str(model.folder))
    finally:
        page.context.close()
        second.stop()


def test_two_tabs_leave_each_other_their_settings(visit: Callable[..., Visit]) -> None:
    first, second = visit().page, visit().page
    for page, epochs in ((first, "498"), (second, "7")):
        box = page.locator(".wb-place-train [data-field=epochs] input")
        box.fill(epochs)
        box.press("Tab")
    first.locator(".wb-place-train [data-action=train]").click()
    for page in (first, second):
        expect(page.locator(".wb-place-train .wb-chip")).to_have_text("running", timeout=LONG)
    second.locator("[data-action=cancel]").click()
    for page, epochs in ((first, "498"), (second, "7")):
        expect(page.locator(".wb-place-train .wb-chip")).to_have_text("cancelled", timeout=LONG)
        assert page.input_value(".wb-place-train [data-field=epochs] input") == epochs
    second.locator("[data-action=resume]").click()
    for page in (first, second):
        expect(page.locator(".wb-place-train .wb-chip")).to_have_text("running", timeout=LONG)
    first.locator("[data-action=cancel]").click()
    expect(second.locator(".wb-place-train .wb-chip")).to_have_text("cancelled", timeout=LONG)


def test_a_button_does_not_overtake_what_was_set_before_it(visit: Callable[..., Visit], dashboard: Dashboard) -> None:
    page = visit().page
    before = set(Workspace.at(dashboard.home).list_runs("train"))
    # As fast as no person is: the kernel may be slow instead.
    page.locator(".wb-place-train").evaluate("""(panel) => {
      const box = panel.querySelector("[data-field=epochs] input");
      for (const value of ["5", "4", "3", "2", "1"]) {
        box.value = value;
        for (const kind of ["input", "change"]) box.dispatchEvent(new Event(kind, { bubbles: true }));
      }
      panel.querySelector("[data-action=train]").click();
    }""")
    expect(page.locator(".wb-place-train .wb-chip")).to_have_text("done", timeout=LONG)
    (run,) = set(Workspace.at(dashboard.home).list_runs("train")) - before
    assert Job(run).settings["epochs"] == 1


def test_script_in_names_is_text(visit: Callable[..., Visit], compression_lab: Dashboard) -> None:
    seen = visit(url=compression_lab.url)
    page = seen.page
    data, train, evaluate = (page.locator(f".wb-place-{name}") for name in ("load_dataset", "train", "evaluate"))
    file = data.locator("[data-upload=file]")
    file.set_input_files({"name": f"{SCRIPT}.npz", "mimeType": "", "buffer": b"x" * 100})
    expect(data.locator("[data-upload=error]")).to_contain_text(SCRIPT)
    held = io.BytesIO()
    labels = np.tile(np.arange(2), 40)
    images = (255 * labels[:, None, None] * np.ones((28, 28))).astype(np.uint8)
    np.savez(held, x=images, y=labels, classes=[SCRIPT, "plain"])
    file.set_input_files({"name": "classes.npz", "mimeType": "", "buffer": held.getvalue()})
    expect(data.locator(".wb-table", has_text="Balance")).to_contain_text(SCRIPT, timeout=LONG)
    train.locator("[data-field=epochs] input").fill("1")
    train.locator("[data-field=epochs] input").press("Tab")
    train.locator("[data-action=train]").click()
    expect(train.locator(".wb-subtitle").first).to_contain_text("classes", timeout=LONG)
    expect(train.locator(".wb-chip").first).to_have_text("done", timeout=LONG)
    expect(evaluate.locator(".wb-matrix button")).to_have_count(4, timeout=LONG)
    expect(evaluate.locator(".wb-table", has_text=SCRIPT)).not_to_have_count(0)
    seen.shot("hostile-names")
    assert page.locator("img[src=x]").count() == 0
    assert page.evaluate("window.pwned") is None
