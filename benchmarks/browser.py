"""What the benchmarks in a browser share: a real Chromium, a dashboard as people start it, and the table's rows."""

from __future__ import annotations

import contextlib
import math
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import psutil
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

T = TypeVar("T")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
WARM_SECONDS, LOOKS, SECONDS_A_LOOK, AT_REST_PERCENT = 60.0, 3, 0.4, 5
SECONDS_TO_REFILL = 6  # the pool of kernels is filled anew some seconds after a visit
SECONDS_TO_END = 30
PATIENCE_MS = 60_000


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium."""
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if executable is None:
        sys.exit("this benchmark needs Chromium; run: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def dashboard(home: Path, name: str, *options: str) -> Iterator[tuple[str, psutil.Process]]:
    """A dashboard as people start it: its address, the viewers' where it is shared, and its process."""
    command = str(Path(sys.executable).with_name("workbench"))
    process = subprocess.Popen(
        [command, "dashboard", name, "--port", "0", "--no-browser", "--home", str(home), *options],
        cwd=home.parent, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = next((line for line in process.stdout if "http" in line), "")
        if not line:
            sys.exit(f"the dashboard ended with {process.wait()}")
        yield re.findall(r"http://\S+", line)[0], psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


@contextlib.contextmanager
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh profile, as of somebody who comes for the first time."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    try:
        yield context
    finally:
        context.close()


def kernels(server: psutil.Process) -> list[psutil.Process]:
    """The kernels of a dashboard, the newest last."""
    found = []
    for child in server.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "ipykernel_launcher" in " ".join(child.cmdline()):
                found.append(child)
    return sorted(found, key=lambda kernel: kernel.pid)


def wait_until_warm(server: psutil.Process) -> None:
    """Wait until a kernel stands ready and whatever was started has come to rest."""
    deadline = time.monotonic() + WARM_SECONDS
    calm = 0
    while calm < LOOKS and time.monotonic() < deadline:
        calm = calm + 1 if rests(server) else 0


def visited(visit: Callable[[], T], server: psutil.Process, count: int) -> list[T]:
    """Visit so often, each time when the server is warm again; a first visit does not count."""
    wait_until_warm(server)
    visit()
    found = []
    for _ in range(count):
        time.sleep(SECONDS_TO_REFILL)
        wait_until_warm(server)
        found.append(visit())
    return found


def rests(server: psutil.Process) -> bool:
    """Say whether the server has a kernel and the newest one does nothing for a moment."""
    try:
        found = kernels(server)
        return bool(found) and found[-1].cpu_percent(SECONDS_A_LOOK) < AT_REST_PERCENT
    except psutil.Error:
        return False


@contextlib.contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """End a block that hangs; what it started is ended on the way out."""

    def late(number: int, _frame: object) -> None:
        raise TimeoutError(f"not done after {seconds} s" if number == signal.SIGALRM else "told to end")

    for number in (signal.SIGALRM, signal.SIGTERM):
        signal.signal(number, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


class Traffic:
    """Bytes that a page got: over the network as they were packed, and over its websockets."""

    def __init__(self, page: Page) -> None:
        self._page, self._network, self._socket = page, 0.0, 0.0
        client = page.context.new_cdp_session(page)
        client.send("Network.enable")
        client.on("Network.loadingFinished", self._loaded)
        page.on("websocket", lambda socket: socket.on("framereceived", self._received))

    def so_far(self) -> dict[str, float]:
        """What came until now, told a moment later."""
        self._page.wait_for_timeout(500)
        return {"network": self._network, "socket": self._socket}

    def _loaded(self, event: dict[str, Any]) -> None:
        self._network += event["encodedDataLength"]

    def _received(self, data: str | bytes) -> None:
        self._socket += len(data)


def percentile(values: list[float], percent: int) -> float:
    """A percentile; of no values there is none."""
    if len(values) < 2:  # noqa: PLR2004 - of one value each percentile is that value
        return values[0] if values else math.nan
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def row(figure: str, target: str, measured: str, met: bool | None) -> dict[str, Any]:  # noqa: FBT001 - a table's row
    """One line of the table."""
    return {"figure": figure, "target": target, "measured": measured, "met": met}


def spread(values: list[float]) -> str:
    """Milliseconds of visits in words."""
    return f"{statistics.median(values):.0f} ms (median of {len(values)}, worst {max(values):.0f})"


def waits(values: list[float]) -> str:
    """Milliseconds of answers in words."""
    return f"p50 {percentile(values, 50):.0f}, p95 {percentile(values, 95):.0f} ms ({len(values)})"
