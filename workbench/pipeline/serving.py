"""Serve the variants, ask them real images over HTTP, and read what the server counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.core.errors import ServingError

if TYPE_CHECKING:
    from workbench.core.artifact import Artifact
    from workbench.core.records import ServingStats
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset

# JSON carries float32 as the shortest text that reads back to it, so answers differ by rounding at the most.
_SAME = 1e-5


def serve_and_ask(artifact: Artifact, name: str, data: Dataset, requests: int, workspace: Workspace) -> ServingStats:
    """Start a server for one artifact, ask it test samples one by one, and return its own counters.

    Raises:
        ServingError: The served answers differ from the same file's answers in this process.
    """
    from workbench.evaluate.runtimes import open_runtime
    from workbench.monitor.health import health
    from workbench.serve.sandbox import serve

    images = data.floats("test", slice(0, requests))
    with serve(artifact, name=name, workspace=workspace) as server:
        answers = np.concatenate([server.client.predict(image[None]) for image in images])
        stats = health(server)
    with open_runtime(artifact) as runtime:
        here = np.concatenate([runtime.predict(image[None]) for image in images])
    worst = float(np.abs(answers - here).max())
    if worst > _SAME:
        raise ServingError(
            f"the served model {name} must answer like its file, got a difference of {worst:.2g}; "
            f"see the server's log in {workspace.runs}."
        )
    return stats
