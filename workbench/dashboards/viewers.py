"""The server for those who only look: a process of its own, whose kernels are viewers' from their first line on.

`python -m workbench.dashboards.viewers` is told on its input what to show, says on its output where it listens, and
ends when its input does, so it never outlives who started it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.errors import WorkspaceError
from workbench.core.role import VARIABLE, VIEWER

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS_TO_END = 10.0


@contextlib.contextmanager
def viewers(notebook: Path, *, host: str, port: int, token: str, most_pages: int) -> Iterator[int]:
    """Run the viewers' server for a block and give its port.

    Args:
        notebook: What is shown.
        host: Address to listen on.
        port: Where it listens; it is free.
        token: The viewers'; it travels by a pipe, as command lines and environments can be seen.
        most_pages: So many may be open at once.

    Raises:
        WorkspaceError: It did not start.
    """
    process = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", __name__], env={**os.environ, VARIABLE: VIEWER},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        asked = {"notebook": str(notebook), "host": host, "port": port, "token": token, "most_pages": most_pages}
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
        if not (told := process.stdout.readline()):
            raise WorkspaceError(f"The server for viewers did not start (exit code {process.wait()}).")
        yield int(told)
    finally:
        process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_SECONDS_TO_END)
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()


def main() -> None:
    """Serve viewers until the input ends."""
    from workbench.dashboards.server import without_iri_grammars

    asked = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_input, daemon=True).start()
    with without_iri_grammars():
        from workbench.dashboards.voila_app import DashboardApp

    def listening(port: int) -> None:
        print(port, flush=True)  # noqa: T201 - to who started us

    asked["notebook"] = Path(asked["notebook"])
    DashboardApp.for_notebook(**asked, on_listening=listening).start()


def _end_with_input() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
