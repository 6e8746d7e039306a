"""Six incidents, each caused three times: how long until it is noticed, until something is done, until all is well.

A model of digits is served by two workers and asked 100 times a second; every request counts that got no answer.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.workspace import Workspace
from workbench.jobs import stop_cluster
from workbench.pipeline.drill.faults.base import faults
from workbench.pipeline.drill.verb import drill

if TYPE_CHECKING:
    from workbench.core.records import DrillReport

TIMES = 3
VISIBLE_S = 2.0
ROLLED_BACK = ("bad_version", "slow_model")


def seconds(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return "not always"
    return f"{statistics.median(known):.2f} s (worst {max(known):.2f})"


def row(name: str, reports: list[DrillReport]) -> dict[str, Any]:
    failed, asked = sum(each.failed for each in reports), sum(each.requests for each in reports)
    reactions = [each.reaction_seconds for each in reports]
    said = [f"noticed after {seconds([each.noticed_seconds for each in reports])}"]
    if any(value is not None for value in reactions):
        what = "rollback visible" if name in ROLLED_BACK else "answered"
        said.append(f"{what} {seconds(reactions)} later")
    said.append(f"clients served as before after {seconds([each.restored_seconds for each in reports])}")
    said.append(f"{failed} of {asked:,} requests failed")
    fast = name not in ROLLED_BACK or all(value is not None and value <= VISIBLE_S for value in reactions)
    target = "no request fails" + (f", rollback ≤ {VISIBLE_S:g} s after the alarm" if name in ROLLED_BACK else "")
    met = fast and all(each.passed for each in reports)
    return {"figure": f"drill: {faults.get(name).title}", "target": target, "measured": "; ".join(said), "met": met}


def main(output: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.at(Path(folder) / "home")
        try:
            drill("worker_killed", workspace=workspace)  # trains the model
            rows = [row(name, [drill(name, workspace=workspace) for _ in range(TIMES)]) for name in faults.names()]
        finally:
            stop_cluster(workspace)
    output.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    for each in rows:
        print(each["figure"], "|", each["measured"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
