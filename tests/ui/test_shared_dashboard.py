"""A dashboard that others may open: viewers look, operators act, and nothing a page sends makes one the other."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

    from tests.ui.conftest import Visit

from playwright.sync_api import expect

pytestmark = pytest.mark.ui

REFUSED = "this page must be an operator's to do that"


@dataclass
class Shared:
    process: subprocess.Popen[str]
    viewers: str
    operators: str
    home: Path

    def kernels(self) -> list[psutil.Process]:
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in children if "ipykernel_launcher" in " ".join(child.cmdline())]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    home = tmp_path_factory.mktemp("shared") / "home"
    environment = {k: v for k, v in os.environ.items() if k not in ("WORKBENCH_DATA", "WORKBENCH_PRELOAD")}
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("workbench")), "dashboard", "--share", "127.0.0.1", "--pages", "3",
         "--port", "0", "--no-browser", "--home", str(home)],
        env=environment, cwd=home.parent, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    found = dict(re.findall(r"For (\w+): (\S+)", process.stdout.readline() + process.stdout.readline()))
    yield Shared(process, found["viewers"], found["operators"], home)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=30)
    process.stdout.close()


@pytest.fixture
def viewer(visit: Callable[..., Visit], shared: Shared) -> Page:
    return visit(url=shared.viewers).page


def runs(shared: Shared) -> list[Path]:
    return list((shared.home / "runs").glob("*"))


def refused(url: str) -> int:
    try:
        with urllib.request.urlopen(url) as answer:
            return int(answer.status) if "wb-panel" in answer.read().decode() else 401
    except urllib.error.HTTPError as error:
        return error.code


def press_though_locked(page: Page, name: str) -> None:
    """Press a button as someone would who knows how to unlock it in the browser."""
    page.locator(f"[data-action={name}]").evaluate("button => { button.disabled = false; button.click(); }")


def test_a_viewer_sees_locked_buttons_that_say_why(viewer: Page) -> None:
    button = viewer.locator("[data-action=train]")
    expect(button).to_be_disabled()
    expect(button).to_have_attribute("title", re.compile("for viewing"))
    expect(viewer.locator("[data-action=evaluate]")).not_to_have_attribute("title", re.compile("for viewing"))


def test_a_viewer_looks_and_starts_nothing(viewer: Page, shared: Shared) -> None:
    press_though_locked(viewer, "train")
    expect(viewer.locator("[data-wb=error]").first).to_contain_text(REFUSED)
    assert runs(shared) == []


@pytest.mark.parametrize("query", ["WORKBENCH_ROLE=operator", "role=operator", "place=train"])
def test_a_forged_query_changes_nothing(visit: Callable[..., Visit], shared: Shared, query: str) -> None:
    page = visit(url=f"{shared.viewers}&{query}").page
    press_though_locked(page, "train")
    expect(page.locator("[data-wb=error]").first).to_contain_text(REFUSED)
    assert runs(shared) == []
    page.context.close()


def test_a_viewers_token_is_no_operators(shared: Shared) -> None:
    token = shared.viewers.split("token=")[1]
    address = shared.operators.split("?")[0]
    assert refused(f"{address}?token={token}") != 200
    assert refused(address) != 200
    assert refused(f"{address}api/kernels?token={token}") != 200


def test_tokens_are_in_no_environment_and_no_command_line(viewer: Page, shared: Shared) -> None:
    tokens = [url.split("token=")[1] for url in (shared.viewers, shared.operators)]
    processes = [
        shared.process.pid,
        *(child.pid for child in psutil.Process(shared.process.pid).children(recursive=True)),
    ]
    for pid in processes:
        said = Path(f"/proc/{pid}/environ").read_bytes() + Path(f"/proc/{pid}/cmdline").read_bytes()
        assert not any(token.encode() in said for token in tokens)
    assert viewer.url == shared.viewers.split("?")[0]


def test_viewers_kernels_are_viewers_from_their_start(viewer: Page, shared: Shared) -> None:
    mine = viewer.evaluate("JSON.parse(document.getElementById('wb-config').textContent).kernelId")
    kernel = next(one for one in shared.kernels() if mine in " ".join(one.cmdline()))
    assert kernel.environ()["WORKBENCH_ROLE"] == "viewer"
    keys = shared.home / "tls"
    assert not any(Path(file.path).is_relative_to(keys) for file in kernel.open_files())


def test_no_more_pages_than_may_be_open(visit: Callable[..., Visit], shared: Shared) -> None:
    opened = [visit(url=shared.viewers).page for _ in range(3)]
    page = opened[0].context.browser.new_context().new_page()
    answer = page.goto(shared.viewers)
    assert answer is not None
    assert answer.status == 503
    expect(page.locator("body")).to_contain_text("3 pages of this dashboard are open, as many as may be")
    page.context.close()


def test_an_operator_acts_and_viewers_see_it(visit: Callable[..., Visit], shared: Shared) -> None:
    looking = visit(url=shared.viewers).page
    acting = visit(url=shared.operators).page
    box = acting.locator("[data-field=epochs] input")
    box.fill("1")
    box.press("Tab")
    acting.click("[data-action=train]")
    for page in (acting, looking):
        expect(page.locator(".wb-place-train .wb-chip").first).to_have_text("done", timeout=120_000)


def test_viewers_go_when_who_shares_goes(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("workbench")), "dashboard", "--share", "127.0.0.1",
         "--port", "0", "--no-browser", "--home", str(tmp_path)],
        cwd=tmp_path, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    children = psutil.Process(process.pid).children(recursive=True)
    server = next(child for child in children if "dashboards.viewers" in " ".join(child.cmdline()))
    process.kill()
    process.wait()
    process.stdout.close()
    server.wait(timeout=20)
