"""Build what binder builds, in a clean environment, and use it like a visitor: JupyterLab, a dashboard, notebook 00."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[1]
FIRST = "notebooks/tutorials/00_quickstart.ipynb"
DASHBOARD = "voila/render/notebooks/dashboards/training.ipynb"
NOT_CLONED = (".git", ".venv", "test-artifacts", "__pycache__", ".*_cache", "dist", "build")
SECONDS_TO_START = 90


def main() -> None:
    """Copy the project, install it by binder's own files, start it by them."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        source = place / "source"
        shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(*NOT_CLONED))
        run(sys.executable, "-m", "venv", place / "venv")
        binaries = place / "venv" / "bin"
        environment = {
            **{name: value for name, value in os.environ.items() if name != "WORKBENCH_DATA"},
            "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}", "WORKBENCH_HOME": str(place / "home"),
            "JUPYTER_CONFIG_DIR": str(place / "no-config"), "WORKBENCH_FAST": "1",
        }  # fmt: skip
        run("pip", "install", "--quiet", "-r", "binder/requirements.txt", cwd=source, env=environment)
        run("binder/postBuild", cwd=source, env=environment)
        try:
            visit(source, environment)
            run("binder/start", "jupyter", "execute", FIRST, cwd=source, env=environment)
        finally:
            run("workbench", "stop", cwd=source, env=environment)
    print("binder: 2 passed, 0 failed")


def visit(source: Path, environment: dict[str, str]) -> None:
    """Open JupyterLab at its own address, which must be the first tutorial, and a dashboard beside it."""
    command = ["binder/start", "jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0"]
    command.append("--IdentityProvider.token=")
    server = subprocess.Popen(command, cwd=source, env=environment, stderr=subprocess.PIPE, text=True)
    watchdog = threading.Timer(SECONDS_TO_START, server.kill)
    watchdog.start()
    try:
        url = first_url(server)
        with urllib.request.urlopen(url, timeout=SECONDS_TO_START) as page:
            if not page.url.endswith(f"/lab/tree/{FIRST}"):
                sys.exit(f"{url} opens {page.url}, not the first tutorial")
        with urllib.request.urlopen(url + DASHBOARD, timeout=SECONDS_TO_START) as page:
            if b"</html>" not in page.read():
                sys.exit(f"{url}{DASHBOARD} is no whole page")
    finally:
        watchdog.cancel()
        server.terminate()
        server.communicate()


def first_url(server: subprocess.Popen[str]) -> str:
    """Read the root of the address that JupyterLab prints."""
    assert server.stderr is not None
    said = []
    for line in server.stderr:
        said.append(line)
        if "http://127.0.0.1" in line:
            # The pipe must be read to its end, or the server waits for us.
            threading.Thread(target=server.stderr.read, daemon=True).start()
            return line[line.index("http://") :].split("/lab")[0].strip() + "/"
    sys.exit("JupyterLab printed no address:\n" + "".join(said))


def run(*command: object, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    """Run a command that must succeed; it is looked for where the environment says."""
    words = [str(word) for word in command]
    words[0] = shutil.which(words[0], path=(env or os.environ)["PATH"]) or words[0]
    subprocess.run(words, check=True, cwd=cwd, env=env)


main()
