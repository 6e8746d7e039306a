"""How long every edge of the format map takes for the documents' CNN, with a warm worker, parity check included.

Trained on digits for one epoch: what an edge costs does not depend on what the weights are. Every edge is gone
alone, one after the other, in two fresh workspaces (in one the second would be answered at once); the mean of both is
quoted. Edges from PyTorch are gone where it is installed.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.core.artifact import Artifact
    from workbench.core.workspace import Workspace

TURNS = 2
LIMIT_S = 10.0
STARTS = ("tf_keras", "keras", "h5", "saved_model", "onnx", "tflite", "packed")


def main(output: Path) -> None:
    seconds: dict[str, list[float]] = defaultdict(list)
    closed: dict[str, str] = {}
    for _ in range(TURNS):
        with tempfile.TemporaryDirectory() as folder:
            os.environ["WORKBENCH_HOME"] = folder
            from workbench.jobs import stop_cluster

            try:
                for edge, took in gone(closed):
                    seconds[edge].append(took)
            finally:
                stop_cluster()
    means = {edge: statistics.mean(each) for edge, each in seconds.items()}
    for edge, took in sorted(means.items(), key=lambda item: -item[1]):
        print(f"{took:6.2f} s  {edge}")
    for edge, why in closed.items():
        print(f"   not gone  {edge}: {why}")
    output.write_text(json.dumps(rows(means)), encoding="utf-8")


def gone(closed: dict[str, str]) -> Iterator[tuple[str, float]]:
    """Go every edge once in a fresh workspace; give its name and the seconds from the call to the checked file."""
    import workbench as wb
    from workbench.convert.base import converters
    from workbench.core.errors import WorkbenchError
    from workbench.core.workspace import Workspace
    from workbench.datasets import load_dataset

    workspace = Workspace.default()
    data = load_dataset("digits", workspace=workspace)
    trained = wb.train(data, epochs=1, workspace=workspace)
    wb.convert(trained, "saved_model", dataset=data, workspace=workspace)  # the worker is warm from here on
    for start in starts(trained, workspace):
        for edge in wb.routes(start, workspace=workspace).edges:
            name = f"{edge.source} to {edge.target} with {edge.tool}"
            if edge.source != start.label:
                continue
            if not edge.available:
                closed[name] = edge.reason or ""
                continue
            target, numeric = edge.target.split("/")
            assert target in converters.names()
            begin = time.perf_counter()
            try:
                wb.convert(start, target, numeric=numeric, tool=edge.tool, dataset=data, workspace=workspace, seed=1)
            except WorkbenchError as error:
                closed[name] = str(error)
                continue
            yield name, time.perf_counter() - begin


def starts(trained: Artifact, workspace: Workspace) -> Iterator[Artifact]:
    """Give the model in every format that an edge begins at."""
    import workbench as wb

    for form in STARTS:
        yield trained if form == trained.format else wb.convert(trained, form, workspace=workspace)  # type: ignore[arg-type]
    if find_spec("torch"):
        yield from_torch(workspace)


def from_torch(workspace: Workspace) -> Artifact:
    """Bring the same network in from PyTorch."""
    import numpy as np
    import torch
    from torch import nn

    import workbench as wb

    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten(), nn.Linear(576, 64), nn.ReLU(), nn.Linear(64, 10),
    ).eval()  # fmt: skip
    return wb.adopt(network, trust=True, example=np.zeros((2, 1, 28, 28), np.float32), workspace=workspace)


def rows(means: dict[str, float]) -> list[dict[str, Any]]:
    """Return the README's rows: all edges together, with the slowest named."""
    ordered = sorted(means, key=means.__getitem__)
    torch = [edge for edge in ordered if edge.startswith("torch")]
    plain = [edge for edge in ordered if edge not in torch]
    return [row("format map: every edge for the docs' CNN, warm worker", plain, means)] + (
        [row("format map: every edge from PyTorch, warm worker", torch, means)] if torch else []
    )


def row(figure: str, edges: list[str], means: dict[str, float]) -> dict[str, Any]:
    middle, slowest = edges[len(edges) // 2], edges[-1]
    return {
        "figure": figure,
        "target": f"≤ {LIMIT_S:.0f} s each",
        "measured": f"{len(edges)} edges, median {means[middle]:.1f} s, slowest {means[slowest]:.1f} s ({slowest})",
        "met": means[slowest] <= LIMIT_S,
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
