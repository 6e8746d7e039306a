"""Memory of the tutorials that a visitor of binder begins with: JupyterLab, five kernels, the job cluster and its jobs.

What binder allows is 2 GB. Everything is started with the settings of `binder/start`; each process counts with what is
its own and its share of what it shares (PSS), all five times a second.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import nbformat
import psutil
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
TUTORIALS = sorted((ROOT / "notebooks" / "tutorials").glob("0[0-4]_*.ipynb"))
MOST_GB = 2.0
SECONDS_A_NOTEBOOK = 600
SECONDS_BETWEEN_LOOKS = 0.2


class Watch(threading.Thread):
    """Adds up the memory of all processes of a workspace, again and again."""

    def __init__(self, home: str) -> None:
        super().__init__(daemon=True)
        self.home = home
        self.peak = 0.0
        self.ended = threading.Event()

    def run(self) -> None:
        """Look until told to end."""
        while not self.ended.wait(SECONDS_BETWEEN_LOOKS):
            self.peak = max(self.peak, sum(self._gigabytes(process) for process in psutil.process_iter()))

    def _gigabytes(self, process: psutil.Process) -> float:
        with contextlib.suppress(psutil.Error):
            if process.environ().get("WORKBENCH_HOME") == self.home:
                return float(process.memory_full_info().pss / 1e9)
        return 0.0

    def since(self) -> float:
        """Return the peak since one asked last."""
        time.sleep(2 * SECONDS_BETWEEN_LOOKS)
        peak, self.peak = self.peak, 0.0
        return peak


def main(output: str) -> None:
    """Run the notebooks one after another, their kernels kept, as a visitor does who closes nothing."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(WORKBENCH_HOME=f"{folder}/home", WORKBENCH_WORKERS="1")
        os.environ.pop("WORKBENCH_DATA", None)
        watch = Watch(os.environ["WORKBENCH_HOME"])
        lab = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0"],
            cwd=ROOT, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        watch.start()
        kernels: list[KernelManager] = []
        try:
            peaks = {path.stem[:2]: run(path, folder, watch, kernels) for path in TUTORIALS}
        finally:
            for kernel in kernels:
                kernel.shutdown_kernel(now=True)
            subprocess.run([sys.executable, "-m", "workbench", "stop"], check=False)
            lab.terminate()
            lab.wait()
            watch.ended.set()
    Path(output).write_text(json.dumps([row(peaks)]), encoding="utf-8")


def run(path: Path, folder: str, watch: Watch, kernels: list[KernelManager]) -> float:
    """Return the peak while one notebook ran, in GB."""
    kernels.append(KernelManager())
    book = nbformat.read(path, as_version=4)
    NotebookClient(book, km=kernels[-1], timeout=SECONDS_A_NOTEBOOK, resources={"metadata": {"path": folder}}).execute()
    peak = watch.since()
    print(f"{path.stem}: {peak:.2f} GB", flush=True)
    return peak


def row(peaks: dict[str, float]) -> dict[str, Any]:
    """Return the table's row."""
    each = ", ".join(f"{name} {peak:.2f}" for name, peak in peaks.items())
    most = max(peaks.values())
    return {
        "figure": "binder: peak memory of tutorials 00 to 04 on the digits, all left open in JupyterLab",
        "target": f"≤ {MOST_GB:g} GB",
        "measured": f"{most:.2f} GB (PSS; {each})",
        "met": most <= MOST_GB,
    }


if __name__ == "__main__":
    main(sys.argv[1])
