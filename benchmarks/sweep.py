"""A 24-point sweep of the documents' CNN on MNIST against scripts written as the tutorials have it, side by side.

Six sparsities x {float32, float16, dynamic, int8} TFLite, two epochs of fine-tuning with batches of 128. Everyone
starts from the same trained parent (recipe `docs`, not counted) with nothing cached, TensorFlow imported (a script's
import is taken off, our cluster's worker is warm), and ends with 24 files, their gzip'd bytes and their answers to all
10,000 test images; ours has also measured latency, parity and packed bytes by then. The scripts
(`tutorial_script.py`) spend two epochs on each point or on each sparsity; ours spends two epochs in all, on one
gradual pruning that leaves a snapshot at each sparsity, so the question is whether its points are as good: a point is
non-inferior where the upper end of the paired 95 % interval of its loss against the parent is at most 0.2 points.
The sparsities end where the tutorials' do, at 80 %; at 85 % two epochs in all were too few (upper end 0.28 points).

Ours runs once beside each script, each time in a workspace of its own. Needs MNIST at hand (WORKBENCH_DATA);
`WORKBENCH_BENCH_WAYS` (default `batched,levels,points`) names the scripts to run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import workbench
from workbench.compress.magnitude_pruning import MagnitudePruning
from workbench.compress.post_training import PostTrainingQuantization
from workbench.core.artifact import Artifact
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset, default_dataset
from workbench.evaluate.intervals import paired_drop
from workbench.jobs import stop_cluster
from workbench.sweep.space import Space

PLAN = {
    "sparsities": [0.3, 0.5, 0.6, 0.7, 0.75, 0.8],
    "numerics": ["float32", "float16", "dynamic", "int8"],
    "epochs": 2,
    "batch_size": 128,
}
MOST_DROP = 0.002
LEAST_RATIO = {"points": 10.0, "levels": 3.0, "batched": 1.5}
TITLES = {
    "points": "script that does every point from the start",
    "levels": "script that fine-tunes once a sparsity",
    "batched": "the same with batched evaluation",
}
WAYS = os.environ.get("WORKBENCH_BENCH_WAYS", "batched,levels,points").split(",")


def ours(parent: Artifact, origin: Workspace, home: Path) -> dict[str, Any]:
    """Sweep in a new workspace that holds nothing but the parent and the data."""
    workspace = Workspace.at(home).ensure()
    run = parent.folder.parent
    shutil.copytree(run, workspace.runs / run.name)
    shutil.copytree(origin.cache / "datasets", workspace.cache / "datasets")
    copy = Artifact.load(workspace.runs / run.name / "result")
    data = workbench.load_dataset("mnist", workspace=workspace)
    # The worker is warm, and the parent's own answers are known, as they are to the scripts' author.
    baseline = workbench.evaluate(copy, data, workspace=workspace)
    method = MagnitudePruning(epochs=PLAN["epochs"], batch_size=PLAN["batch_size"], min_steps=0, scope="global")
    axes = {"magnitude_pruning.sparsity": PLAN["sparsities"], "post_training.numeric": PLAN["numerics"]}
    try:
        began = time.perf_counter()
        sweep = workbench.sweep(
            Space((method, PostTrainingQuantization()), axes), copy, data, share_trajectory=True, workspace=workspace
        )
        seconds = time.perf_counter() - began
        points = sweep.points()
    finally:
        stop_cluster(workspace)
    variants = [point.variant for point in points]
    assert len(variants) == len(PLAN["sparsities"]) * len(PLAN["numerics"]), [point.reason for point in points]
    highs = [variant.drop_high for variant in variants if variant is not None]
    parts = {what: sum(getattr(point.seconds, what) for point in points) for what in ("train", "convert", "evaluate")}
    return {"seconds": seconds, "parts": parts, "highs": highs, "baseline": baseline.correct}


def theirs(way: str, parent: Artifact, data: Dataset, folder: Path) -> dict[str, Any]:
    """Run a script in a process of its own."""
    plan, result = folder / "plan.json", folder / f"{way}.json"
    plan.write_text(json.dumps(PLAN), encoding="utf-8")
    script = Path(__file__).with_name("tutorial_script.py")
    began = time.perf_counter()
    subprocess.run([sys.executable, script, way, parent.path, data.folder, plan, result], check=True)
    whole = time.perf_counter() - began
    facts: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return facts | {"whole": whole - facts["importing"]}


def shown(parts: dict[str, float]) -> str:
    return ", ".join(f"{what} {seconds:.0f}" for what, seconds in parts.items())


def row(way: str, mine: dict[str, Any], script: dict[str, Any]) -> dict[str, Any]:
    ratio = script["whole"] / mine["seconds"]
    highs = [paired_drop(mine["baseline"], point["correct"]).high for point in script["points"]]
    good = sum(high <= MOST_DROP for high in mine["highs"])
    measured = (
        f"{ratio:.1f}x: {mine['seconds']:.0f} s against {script['whole']:.0f} s ({shown(script['seconds'])}); ours, "
        f"jobs side by side: {shown(mine['parts'])}; non-inferior: {good} of {len(mine['highs'])} (worst upper end "
        f"{100 * max(mine['highs']):.2f} pt), the script's {sum(high <= MOST_DROP for high in highs)}"
    )
    return {
        "figure": f"24-point sweep on MNIST against the {TITLES[way]}".replace("the the", "the"),
        "target": f"≥ {LEAST_RATIO[way]:g}x, every point non-inferior",
        "measured": measured,
        "met": ratio >= LEAST_RATIO[way] and good == len(mine["highs"]),
    }


def main(output: Path) -> None:
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        origin = Workspace.at(folder / "home")
        if default_dataset(origin).name != "mnist":
            sys.exit("This benchmark needs MNIST: set WORKBENCH_DATA to a folder that holds mnist.npz.")
        try:
            data = workbench.load_dataset("mnist", workspace=origin)
            parent = workbench.train(data, "docs", workspace=origin)
        finally:
            stop_cluster(origin)
        for way in WAYS:
            home = folder / way
            os.environ["WORKBENCH_HOME"] = str(home)
            mine = ours(parent, origin, home)
            print(
                way,
                "ours",
                round(mine["seconds"], 1),
                mine["parts"],
                [round(100 * h, 2) for h in mine["highs"]],
                flush=True,
            )
            script = theirs(way, parent, data, folder)
            rows.append(row(way, mine, script))
            print(rows[-1]["figure"], "|", rows[-1]["measured"], flush=True)
    output.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
