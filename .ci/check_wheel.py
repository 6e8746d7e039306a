"""Build the wheel, install it into a clean environment and use it from an empty folder, like a newcomer."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[1]
UV = Path(sys.executable).with_name("uv")
SECONDS_TO_START = 90


def main() -> None:
    """Install, run the road on the embedded digits, open the dashboard, end it."""
    # What a script starts in the background ignores Ctrl-C, and so would the commands that are started here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        binaries = install(place)
        empty = place / "empty"
        empty.mkdir()
        environment = {**os.environ, "WORKBENCH_HOME": str(place / "home")}
        subprocess.run([binaries / "workbench", "run", "--dataset", "digits"], cwd=empty, env=environment, check=True)
        dashboard(binaries, empty, environment)
        # The road started the job cluster, so the dashboard spared it.
        subprocess.run([binaries / "workbench", "stop"], cwd=empty, env=environment, check=True)
        left = list(empty.iterdir())
        if left:
            sys.exit(f"the commands left files in the folder they were started in: {left}")
    print("wheel: 2 passed, 0 failed")


def install(place: Path) -> Path:
    """Return the folder of the commands of a clean environment that holds the wheel."""
    run(UV, "build", "--quiet", "--wheel", "--out-dir", place / "dist", ROOT)
    (wheel,) = (place / "dist").glob("*.whl")
    run(UV, "venv", "--quiet", "--python", sys.executable, place / "venv")
    binaries = place / "venv" / "bin"
    run(
        UV, "pip", "install", "--quiet", "--compile-bytecode", "--python", binaries / "python",
        "--constraint", ROOT / "requirements.lock", f"lastmile-workbench[train] @ {wheel.as_uri()}",
    )  # fmt: skip
    return binaries


def dashboard(binaries: Path, folder: Path, environment: dict[str, str]) -> None:
    """Start the dashboard, ask for its page, interrupt it; it must end by itself."""
    command = [binaries / "workbench", "dashboard", "--no-browser"]
    server = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    watchdog = threading.Timer(SECONDS_TO_START, server.kill)
    watchdog.start()
    try:
        url = first_url(server)
        with urllib.request.urlopen(url, timeout=SECONDS_TO_START) as page:
            if page.status != 200 or b"<html" not in page.read().lower():
                sys.exit(f"{url} is no page")
        server.send_signal(signal.SIGINT)
        code = server.wait(timeout=30)
    finally:
        watchdog.cancel()
        server.kill()
    if code not in (0, 130):
        sys.exit(f"`workbench dashboard` ended with {code} after Ctrl-C")


def first_url(server: subprocess.Popen[str]) -> str:
    """Read the one URL that the dashboard prints."""
    assert server.stdout is not None
    for line in server.stdout:
        found = re.search(r"http://\S+", line)
        if found:
            return found.group()
    sys.exit("`workbench dashboard` printed no URL")


def run(*command: object) -> None:
    """Run a command that must succeed."""
    subprocess.run([str(word) for word in command], check=True)


main()
