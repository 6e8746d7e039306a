"""A JupyterLab as people start it, and notebooks that tests write for it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import nbformat
from probing import until

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

# Lab asks jupyter.org for news, and people whether they want any.
_NO_NEWS = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
# Cells out of sight are else taken off the page, where a test does not find them.
_WHOLE = {"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"}}
_READY = """async () => {
    const notebook = window.jupyterapp.shell.currentWidget;
    await notebook.context.ready;
    await notebook.sessionContext.ready;
    await notebook.sessionContext.session.kernel.info;
}"""


@dataclass
class Lab:
    """A running JupyterLab.

    Attributes:
        process: Its server.
        log: Reads what it says, so that it never waits for a reader.
        url: Where it listens.
        token: What opens it.
        root: Folder of its notebooks.
    """

    process: subprocess.Popen[str]
    log: threading.Thread
    url: str
    token: str
    root: Path

    def write(self, name: str, *cells: str) -> str:
        """Write a notebook and start its kernel; returns its address, where it is alone on the page."""
        path = f"{name}.ipynb"
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(book, self.root / path)
        return self.begin(name)

    def begin(self, name: str) -> str:
        """Start the kernel of a notebook that is there; returns its address, where it is alone on the page."""
        path = f"{name}.ipynb"
        self.ask("sessions", {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}})
        return self.address(name)

    def address(self, name: str) -> str:
        return f"{self.url}/doc/tree/{name}.ipynb?reset&token={self.token}"

    def ask(self, what: str, body: dict[str, Any] | None = None, method: str | None = None) -> Any:
        """Ask the server's own API."""
        request = urllib.request.Request(
            f"{self.url}/api/{what}", json.dumps(body).encode() if body is not None else None,
            {"Authorization": f"token {self.token}", "Content-Type": "application/json"}, method=method,
        )  # fmt: skip
        with urllib.request.urlopen(request) as response:
            return json.loads(response.read() or "null")

    def end_kernels(self) -> None:
        """End the kernels of all notebooks."""
        for session in self.ask("sessions"):
            self.ask(f"sessions/{session['id']}", method="DELETE")

    def stop(self) -> None:
        # Asked a second time it does not wait for kernels any more, which may be at work.
        for _ in range(2):
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=10)
                break
        else:
            self.process.kill()
            self.process.wait()
        self.log.join()


def run_all(page: Page) -> None:
    """Run all cells, once the notebook and its kernel are there."""
    page.wait_for_function("window.jupyterapp?.shell?.currentWidget?.sessionContext")
    page.evaluate(_READY)
    command(page, "notebook:run-all-cells")


def command(page: Page, name: str, **arguments: Any) -> None:
    """Do what the menu can do; the app is there by `--expose-app-in-browser`."""
    page.evaluate(
        "([name, given]) => window.jupyterapp.commands.execute(name, given).then(() => null)", [name, arguments]
    )


def start_lab(folder: Path, home: Path) -> Lab:
    """Start one whose settings, data and notebooks lie in a folder of their own.

    Args:
        folder: That folder.
        home: The workspace.
    """
    places = {f"JUPYTER_{name.upper()}_DIR": folder / name for name in ("config", "data", "runtime")}
    root, token = folder / "notebooks", secrets.token_hex(16)
    for place in (*places.values(), root, folder / "config" / "labconfig"):
        place.mkdir(parents=True, exist_ok=True)
    for name, settings in (("page_config", _NO_NEWS), ("default_setting_overrides", _WHOLE)):
        (folder / "config" / "labconfig" / f"{name}.json").write_text(json.dumps(settings), encoding="utf-8")
    environment = {k: v for k, v in os.environ.items() if k not in ("WORKBENCH_DATA", "WORKBENCH_PRELOAD")}
    environment |= {**{name: str(place) for name, place in places.items()}, "WORKBENCH_HOME": str(home)}
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser",
         "--ip=127.0.0.1", "--port=0", f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={root}"],
        cwd=folder, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    found = next(filter(None, (re.search(r"http://127\.0\.0\.1:\d+", line) for line in process.stderr)), None)
    assert found is not None, f"JupyterLab ended with {process.wait()}"
    log = threading.Thread(target=_read_on, args=(process.stderr,), daemon=True)
    log.start()
    lab = Lab(process, log, found.group(0), token, root)
    until(lambda: _listens(lab))  # it tells its address before it listens there
    return lab


def _listens(lab: Lab) -> bool:
    with contextlib.suppress(urllib.error.URLError):
        return bool(lab.ask("status"))
    return False


def _read_on(stream: IO[str]) -> None:
    with stream:
        stream.read()
