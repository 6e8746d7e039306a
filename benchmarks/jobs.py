"""How fast a job begins, is cancelled, and is seen to be lost when its worker is killed."""

from __future__ import annotations

import json
import os
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.jobs import Job

HERE = Path(__file__).parent
TIMES = 9
LIMIT_S = 2.0


def main(output: Path) -> None:
    os.environ["PYTHONPATH"] = f"{HERE}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WORKBENCH_HOME"] = folder
        from workbench.jobs import stop_cluster

        try:
            rows = measure()
        finally:
            stop_cluster()
    output.write_text(json.dumps(rows), encoding="utf-8")
    for each in rows:
        print(each["figure"], each["measured"])


def measure() -> list[dict[str, Any]]:
    from workbench.jobs import submit

    started = time.time()
    cold = submit("job_stages:first_line", {}, kind="bench", reuse=False).wait(120)["began"] - started
    begins, own = [], []
    for _ in range(TIMES):
        asked = time.time()
        value = submit("job_stages:first_line", {}, kind="bench", reuse=False).wait(60)
        begins.append(value["began"] - asked)
        own.append(value["own_bytes"] / 1e6)
    cancels = [ended_after(lambda job, _: job.cancel(), "cancelled") for _ in range(TIMES)]
    losses = [ended_after(lambda _, worker: os.kill(worker, signal.SIGKILL), "lost") for _ in range(3)]
    return [
        row("first job of a cluster that is not there yet", "", cold, None),
        row("job, asked to first line (TensorFlow loaded)", "", statistics.median(begins), None),
        {
            "figure": "memory of its own of a job before it does anything",
            "target": "",
            "measured": f"{statistics.median(own):.0f} MB",
            "met": None,
        },
        row("cancel to the child's end", f"≤ {LIMIT_S:g} s", max(cancels), LIMIT_S, f"worst of {TIMES}"),
        row("kill -9 of the worker to seen and child gone", f"≤ {LIMIT_S:g} s", max(losses), LIMIT_S, "worst of 3"),
    ]


def ended_after(end: Callable[[Job, int], object], state: str) -> float:
    """Return the seconds from the end's cause until the state is seen and the child is gone."""
    import psutil

    from workbench.jobs import submit

    job = submit("job_stages:hold", {}, kind="bench", reuse=False)
    child = psutil.Process(until(lambda: [e.data["pid"] for e in job.events().read() if e.type == "ready"])[0])
    worker = child.parents()[1].pid
    began = time.perf_counter()
    end(job, worker)
    until(lambda: job.state == state and ended(child))
    return time.perf_counter() - began


def ended(child: Any) -> bool:
    """Say whether a process is gone, or dead and only not yet collected by its dying parent."""
    import psutil

    try:
        return not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def until(condition: Callable[[], Any]) -> Any:
    """Wait for a true value."""
    deadline = time.monotonic() + 120
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.002)
    return value


def row(
    figure: str, target: str, seconds: float, limit: float | None, how: str = f"median of {TIMES}"
) -> dict[str, Any]:
    """One line of the table; `how` says which of the measurements is quoted."""
    said = f"{seconds:.3f} s" + (f" ({how})" if limit is not None or target else "")
    return {"figure": figure, "target": target, "measured": said, "met": None if limit is None else seconds <= limit}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
