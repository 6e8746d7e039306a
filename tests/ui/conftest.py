"""A dashboard as people start it, and a Chromium that looks at it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

import workbench as wb
from workbench.core.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

    from workbench.core.artifact import Artifact

# Where the stages lie that a test may keep a cluster busy with, and what starts JupyterLab.
sys.path[:0] = [str(Path(__file__).parents[1] / "jobs"), str(Path(__file__).parent)]

ARTIFACTS = Path(__file__).parents[2] / "test-artifacts"
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@dataclass
class Dashboard:
    """A running `workbench dashboard`."""

    process: subprocess.Popen[str]
    url: str
    home: Path

    @property
    def kernels(self) -> list[psutil.Process]:
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in children if "ipykernel_launcher" in " ".join(_cmdline(child))]

    def stop(self, sign: int = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(sign)
        try:
            return self.process.wait(timeout=30)
        finally:
            assert self.process.stdout is not None
            self.process.stdout.close()


def _cmdline(process: psutil.Process) -> list[str]:
    with contextlib.suppress(psutil.Error):
        return list(process.cmdline())
    return []


def start_dashboard(home: Path, cwd: Path, port: int = 0, name: str = "training") -> Dashboard:
    environment = {k: v for k, v in os.environ.items() if k not in ("WORKBENCH_DATA", "WORKBENCH_PRELOAD")}
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("workbench")),
         "dashboard", name, "--port", str(port), "--no-browser", "--home", str(home)],
        cwd=cwd, env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        found = re.search(r"http://\S+", line)
        if found:
            return Dashboard(process, found.group(0), home)
    raise AssertionError(f"the dashboard ended with {process.wait()}")


@pytest.fixture(scope="session")
def start() -> Callable[..., Dashboard]:
    """Start a dashboard of one's own; who starts one stops it."""
    return start_dashboard


@pytest.fixture(scope="session")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    folder = tmp_path_factory.mktemp("dashboard")
    (folder / "empty").mkdir()
    running = start_dashboard(folder / "home", folder / "empty")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def model(dashboard: Dashboard) -> Artifact:
    """A small model of digits in the dashboards' workspace, trained and converted to ONNX."""
    workspace = Workspace.at(dashboard.home)
    trained = wb.train("digits", "docs", epochs=2, seed=11, workspace=workspace)
    wb.convert(trained, "onnx", workspace=workspace)
    return trained


@pytest.fixture(scope="session")
def compression_lab(dashboard: Dashboard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """The compression lab on the workspace and the cluster of the training dashboard."""
    running = start_dashboard(dashboard.home, tmp_path_factory.mktemp("empty"), name="compression_lab")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def serving_desk(dashboard: Dashboard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """The serving desk on the workspace and the cluster of the training dashboard."""
    running = start_dashboard(dashboard.home, tmp_path_factory.mktemp("empty"), name="serving_desk")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        pytest.fail("the browser tests need the package playwright; run: pip install playwright")
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if executable is None:
        pytest.fail("the browser tests need Chromium; run: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page of a fresh profile, and what went wrong on it."""

    page: Page
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def shot(self, name: str) -> None:
        ARTIFACTS.mkdir(exist_ok=True)
        self.page.evaluate("scrollTo(0, 0)")
        self.page.screenshot(path=ARTIFACTS / f"{name}.png", full_page=True)

    def draw_seven(self) -> None:
        """Draw a seven on the page's pad."""
        canvas = self.page.locator("[data-pad=canvas]")
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        assert box is not None
        at = [(box["x"] + x * box["width"], box["y"] + y * box["height"])
              for x, y in ((0.3, 0.2), (0.7, 0.2), (0.45, 0.85))]  # fmt: skip
        self.page.mouse.move(*at[0])
        self.page.mouse.down()
        for x, y in at[1:]:
            self.page.mouse.move(x, y, steps=6)
        self.page.mouse.up()


@pytest.fixture
def browse(chromium: Browser) -> Iterator[Callable[..., Visit]]:
    """Open an address in a fresh profile; any console error or foreign request fails the test."""
    opened: list[Visit] = []

    def open_page(
        url: str, *, width: int = 1280, height: int = 900, dark: bool = False, locale: str = "en-US"
    ) -> Visit:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", locale=locale
        )
        page = context.new_page()
        page.set_default_timeout(30_000)
        one = Visit(page, context)
        page.on("console", lambda message: message.type == "error" and one.complaints.append(message.text))
        page.on("pageerror", lambda error: one.complaints.append(str(error)))
        page.on("request", lambda request: _is_strange(request.url) and one.strangers.append(request.url))
        opened.append(one)
        page.goto(url)
        return one

    yield open_page
    for one in opened:
        one.context.close()
    assert [one.complaints for one in opened if one.complaints] == []
    assert [one.strangers for one in opened if one.strangers] == []


@pytest.fixture
def visit(browse: Callable[..., Visit], dashboard: Dashboard) -> Callable[..., Visit]:
    """Open the dashboard and wait for its panels."""

    def open_page(*, url: str = dashboard.url, **how: Any) -> Visit:
        one = browse(url, **how)
        one.page.wait_for_selector("body[data-wb-ready]")
        return one

    return open_page


def _is_strange(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "blob:", "data:"))
