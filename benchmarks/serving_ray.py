"""What Ray's proxy costs: one image as JSON through Ray Serve and through our own server, one replica each, in turns.

CPU is that of all processes on the server's side; runs where ray is installed (`make ray`), else writes no row.
"""

from __future__ import annotations

import importlib.util
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
from serving import docs_cnn, row

from workbench.core.workspace import Workspace
from workbench.serve.sandbox import serve

if TYPE_CHECKING:
    from workbench.serve.client import Client

ROUNDS = 9
REQUESTS = 100


def main(output: Path) -> None:
    rows = measured() if importlib.util.find_spec("ray") else []
    output.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    for each in rows:
        print(each["figure"], "|", each["measured"])


def measured() -> list[dict[str, Any]]:
    import ray
    from ray import serve as ray_serve

    from workbench.serve.on_ray.application import serve_on_ray
    from workbench.serve.on_ray.settings import Replicas

    with tempfile.TemporaryDirectory() as folder:
        artifact = docs_cnn(Path(folder))
        workspace = Workspace.at(Path(folder) / "home")
        before = {each.pid for each in psutil.Process().children(recursive=True)}
        ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False)
        try:
            with (
                serve_on_ray(artifact, "docs_cnn", replicas=Replicas(least=1, most=1), workspace=workspace) as theirs,
                serve(artifact, "docs_cnn", workspace=workspace, workers=1) as ours,
            ):
                own = [*map(psutil.Process, [one.pid for one in ours.workers])]
                rest = [
                    each
                    for each in psutil.Process().children(recursive=True)
                    if each.pid not in before and each not in own and "workbench.serve.child" not in each.cmdline()
                ]
                rounds = [(asked(theirs.client, rest), asked(ours.client, own)) for _ in range(ROUNDS + 1)][1:]
        finally:
            ray_serve.shutdown()
            ray.shutdown()
    ray_ms, our_ms = (statistics.median(each[side][0] for each in rounds) for side in (0, 1))
    ray_cpu, our_cpu = (statistics.median(each[side][1] for each in rounds) for side in (0, 1))
    beyond = statistics.median(one[1] - two[1] for one, two in rounds)
    said = (
        f"{beyond:.1f} ms of CPU a request (median of {ROUNDS} pairs; {ray_cpu:.1f} against {our_cpu:.2f}); "
        f"p50 {ray_ms:.1f} against {our_ms:.2f} ms"
    )
    return [row("serving: one image as JSON through Ray's proxy, beyond our own server", "", said, None)]


def asked(client: Client, processes: list[psutil.Process]) -> tuple[float, float]:
    """Ask one by one; return the median milliseconds and the CPU milliseconds a request."""
    image = np.random.default_rng(1).random((1, 28, 28, 1), dtype=np.float32)
    begun, took = cpu_seconds(processes), []
    for _ in range(REQUESTS):
        at = time.perf_counter()
        client.predict(image)
        took.append(time.perf_counter() - at)
    return statistics.median(took) * 1e3, (cpu_seconds(processes) - begun) / REQUESTS * 1e3


def cpu_seconds(processes: list[psutil.Process]) -> float:
    return sum(sum(each.cpu_times()[:2]) for each in processes)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
