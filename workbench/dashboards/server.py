"""Start the dashboard: warm the job cluster, serve the page, print one address, clean up at the end."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import signal
import socket
import sys
import tempfile
import webbrowser
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from workbench.core.errors import BadInputError, WorkspaceError
from workbench.core.workspace import Workspace
from workbench.dashboards import notebooks
from workbench.dashboards.viewers import viewers

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_PORT = 8866
LOOPBACK = "127.0.0.1"
_EXIT_ON_SIGTERM = 143
_PORTS_TRIED = 20
_LAST_PORT = 65_535
_SHARE = Path(__file__).parent / "share"


def launch(
    workspace: Workspace | None = None,
    port: int = DEFAULT_PORT,
    open_browser: bool = True,  # noqa: FBT001, FBT002 - the command line's flag
    dashboard: str = "training",
    share: str | None = None,
    most_pages: int = 20,
) -> None:
    """Serve a dashboard until Ctrl-C or SIGTERM.

    Prints one line with the address and its token. Everything that was started here ends here: the server, its
    kernels, and the job cluster if this call started it; a line says how many jobs that stopped, and they can be
    resumed. A cluster that was there before is left as it is.

    Args:
        workspace: Whose runs are shown; default `WORKBENCH_HOME`.
        port: Wished for; another one is chosen if it is taken. 0 takes any.
        open_browser: Open the page if there is a browser to open it with.
        dashboard: Name of the notebook in `notebooks/dashboards`.
        share: Address to listen on for others, such as `0.0.0.0`; None is this machine alone. Shared, there are two
            servers: at the port for viewers, who look and change nothing, and at the next one for operators, each
            with a token of its own.
        most_pages: So many pages of a server may be open at once; each has a kernel of its own (some 120 MB).

    Raises:
        BadInputError: There is no such dashboard, or the address to share it at is none of this machine's.
        WorkspaceError: The workspace cannot be written.
    """
    workspace = Workspace.of(workspace).ensure()
    notebook = notebooks.find(dashboard)
    _prepare_environment(workspace)
    # Until the server listens to signals itself, SIGTERM too must pass through the clean-up below.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_EXIT_ON_SIGTERM))
    with _cluster(workspace), tempfile.TemporaryDirectory(prefix="workbench-") as private:
        with without_iri_grammars():
            from workbench.dashboards.voila_app import DashboardApp

        host, token = share or LOOPBACK, secrets.token_urlsafe(24)
        with _viewers(notebook, share, port, most_pages) as taken:

            def listening(bound: int) -> None:
                url = _url(share, bound, token)
                moved = f" (port {port} is in use)" if share is None and port not in (0, bound) else ""
                who = "Dashboard" if share is None else "For operators"
                print(f"{who}: {url}{moved}  Ctrl-C ends it.", flush=True)  # noqa: T201 - the one line people need
                if open_browser and _has_browser():
                    Thread(target=_open, args=(url, Path(private)), daemon=True).start()

            DashboardApp.for_notebook(
                notebook, host=host, port=free_port(taken + 1 if share else port, host), token=token,
                on_listening=listening, most_pages=most_pages,
            ).start()  # fmt: skip


@contextlib.contextmanager
def _viewers(notebook: Path, share: str | None, port: int, most_pages: int) -> Iterator[int]:
    """Serve viewers where the dashboard is shared, print where, and give the port that they have taken."""
    if share is None:
        yield 0
        return
    token = secrets.token_urlsafe(24)
    with viewers(notebook, host=share, port=free_port(port, share), token=token, most_pages=most_pages) as bound:
        print(f"For viewers: {_url(share, bound, token)}", flush=True)  # noqa: T201 - what is passed on
        yield bound


def _url(share: str | None, port: int, token: str) -> str:
    """Return an address that others can open: of all of this machine's, its name."""
    host = LOOPBACK if share is None else socket.gethostname() if share in ("0.0.0.0", "::") else share  # noqa: S104
    return f"http://{host}:{port}/?token={token}"


def free_port(wished: int, host: str = LOOPBACK) -> int:
    """Return the port wished for, or the next one that is free where it is taken; 0 takes any.

    Raises:
        BadInputError: The address is none of this machine's.
        WorkspaceError: No port is free.
    """
    for port in (*range(wished, min(wished + _PORTS_TRIED, _LAST_PORT) + 1), 0) if wished else (0,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                if error.errno in (errno.EADDRINUSE, errno.EACCES):
                    continue
                raise BadInputError.of("share", rule="must be an address of this machine", got=host,
                                       hint="0.0.0.0 is all of them") from None  # fmt: skip
            return int(probe.getsockname()[1])
    raise WorkspaceError(f"{host} has no free port; end some servers and start the dashboard again.")


def _prepare_environment(workspace: Workspace) -> None:
    """Set what the server and, through it, its kernels inherit."""
    os.environ["WORKBENCH_HOME"] = str(workspace.home)
    # Our page template and a kernel of this very Python come before whatever lies in people's home folders.
    paths = [str(_SHARE), *filter(None, [os.environ.get("JUPYTER_PATH")])]
    os.environ["JUPYTER_PATH"] = os.pathsep.join(paths)
    # Without bytecode everything that is imported, is imported two to three times slower.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


@contextlib.contextmanager
def without_iri_grammars() -> Iterator[None]:
    """Keep jsonschema from building grammars for a format that nobody here checks (1.3 s of start-up)."""
    name = "rfc3987_syntax"
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment] # makes `import` raise ImportError
    try:
        yield
    finally:
        del sys.modules[name]


@contextlib.contextmanager
def _cluster(workspace: Workspace) -> Iterator[None]:
    """Let the cluster warm up while the page loads, and end it if that is ours to do."""
    from workbench.panels.session import cool, warm

    spare = warm(workspace)
    try:
        yield
    finally:
        if stopped := cool(workspace, spare):
            print(f"Stopped with the cluster: {stopped} unfinished job(s); they can be resumed.", flush=True)  # noqa: T201


def _has_browser() -> bool:
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False  # what is left would be a text browser inside this terminal
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def _open(url: str, private: Path) -> None:
    # Through a file only we can read: a command line, and with it the token, is visible to everybody here.
    page = private / "open.html"
    page.touch(mode=0o600)
    page.write_text(f'<meta http-equiv="refresh" content="0;url={url}">', encoding="utf-8")
    webbrowser.open(page.as_uri())
