"""The smallest files that answer as well as their parent, on MNIST: bytes on disk, nothing computed by hand.

Parents: the documents' CNN and Caffe's LeNet-5, trained for six epochs by the recipe `best` with batches of 128 and
three seeds. Each is pruned and shares its weights in one fine-tuning (`PruningAndSharing`; sparsity and all else were
chosen on validation data that was held back from the training images), then written as ONNX and packed, and as int8
TFLite with one scale a tensor and gzip'd.

A file counts as non-inferior where the upper end of the paired 95 % interval of its loss of accuracy on all 10,000
test images is at most 0.2 points, against the best of the three parents. Bytes and ends are means over the seeds; each
seed's are printed. Ratios are to the parent's float32 weights and to its gzip'd float32 file.

Needs MNIST at hand (WORKBENCH_DATA). `WORKBENCH_BENCH_SEEDS` (default 3) and `WORKBENCH_BENCH_NETWORKS` (default
`docs_cnn,lenet_caffe`) shorten it. Here gzip'd means level 9, as one would ship it.
"""

from __future__ import annotations

import gzip
import json
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import workbench
from workbench.compress.pruning_and_sharing import PruningAndSharing
from workbench.core.workspace import Workspace
from workbench.datasets import default_dataset
from workbench.evaluate.intervals import paired_drop
from workbench.evaluate.sizes import measure_sizes
from workbench.jobs import stop_cluster

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.core.artifact import Artifact
    from workbench.core.records import Evaluation
    from workbench.datasets import Dataset

SEEDS = range(int(os.environ.get("WORKBENCH_BENCH_SEEDS", "3")))
NETWORKS = os.environ.get("WORKBENCH_BENCH_NETWORKS", "docs_cnn,lenet_caffe").split(",")
MOST_DROP = 0.002
TITLES = {"docs_cnn": "docs' CNN", "lenet_caffe": "LeNet-5"}
SPARSITIES = {"docs_cnn": 0.91, "lenet_caffe": 0.96}
# Largest packed file and largest gzip'd int8 TFLite, bytes; None where there is no target.
TARGETS = {"docs_cnn": (8_300, 14_900), "lenet_caffe": (28_700, None)}
FLOAT_BYTES = 4


@dataclass(frozen=True)
class Made:
    """One file of one seed: its bytes, and how it answers against the best parent."""

    bytes: int
    evaluation: Evaluation
    drop: tuple[float, float, float]


def parents(data: Dataset, architecture: str, workspace: Workspace) -> list[Artifact]:
    return [
        workbench.train(
            data, "best", architecture=architecture, epochs=6, batch_size=128, warmup=0.05, seed=seed,
            workspace=workspace,
        )
        for seed in SEEDS
    ]  # fmt: skip


def rows_of(data: Dataset, architecture: str, workspace: Workspace) -> list[dict[str, Any]]:
    whole = parents(data, architecture, workspace)
    answers = [workbench.evaluate(parent, data, workspace=workspace) for parent in whole]
    best = max(answers, key=lambda each: each.accuracy.value)
    print(architecture, "parents", [each.accuracy.value for each in answers], flush=True)
    made: dict[str, list[Made]] = {"packed": [], "int8": []}
    for seed, parent in zip(SEEDS, whole, strict=True):
        method = PruningAndSharing(seed=seed, sparsity=SPARSITIES[architecture])
        small = workbench.compress(parent, method, data, workspace=workspace)
        onnx = workbench.convert(small, "onnx", dataset=data, workspace=workspace)
        int8 = workbench.convert(small, "tflite", numeric="int8", per_channel=False, dataset=data, workspace=workspace)
        for kind, artifact in (("packed", onnx), ("int8", int8)):
            sizes = measure_sizes(artifact)
            evaluation = workbench.evaluate(artifact, data, workspace=workspace)
            size = sizes.packed if kind == "packed" else len(gzip.compress(artifact.path.read_bytes(), 9))
            assert size is not None
            drop = paired_drop(best.correct, evaluation.correct)
            made[kind].append(Made(size, evaluation, drop))
            print(architecture, seed, kind, size, evaluation.accuracy.value, drop, flush=True)
    baseline = workbench.convert(whole[0], "onnx", dataset=data, workspace=workspace)
    weights = int(whole[0].metrics["parameters"])
    packed, gzipped = TARGETS[architecture]
    title, gzip_float = TITLES[architecture], len(gzip.compress(baseline.path.read_bytes(), 9))
    rows = [row(f"{title}, packed (ONNX inside)", packed, made["packed"], weights, gzip_float, best)]
    rows.append(row(f"{title}, int8 TFLite, gzip'd", gzipped, made["int8"], weights, gzip_float, best))
    return rows


def row(
    title: str, target: int | None, made: Sequence[Made], weights: int, gzip_float: int, best: Evaluation
) -> dict[str, Any]:
    size = statistics.mean(each.bytes for each in made)
    high = statistics.mean(each.drop[2] for each in made)
    accuracy = statistics.mean(each.evaluation.accuracy.value for each in made)
    within = high <= MOST_DROP
    measured = (
        f"{size:,.0f} B ({', '.join(f'{each.bytes:,}' for each in made)}): {8 * size / weights:.2f} bits a weight, "
        f"{FLOAT_BYTES * weights / size:.1f}x of the float32 weights, {gzip_float / size:.1f}x of the gzip'd float32 "
        f"file; accuracy {accuracy:.2%}, best parent {best.accuracy.value:.2%}; upper end of the drop "
        f"{100 * high:.2f} pt ({', '.join(f'{100 * each.drop[2]:.2f}' for each in made)})"
    )
    return {
        "figure": f"smallest non-inferior file on MNIST, {len(made)} seed{'s' * (len(made) > 1)}: {title}",
        "target": f"≤ {target / 1000:g} kB, drop's upper end ≤ 0.2 pt" if target else "",
        "measured": measured,
        "met": within and size <= target if target else None,
    }


def main(output: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.at(folder)
        if default_dataset(workspace).name != "mnist":
            sys.exit("This benchmark needs MNIST: set WORKBENCH_DATA to a folder that holds mnist.npz.")
        try:
            data = workbench.load_dataset("mnist", workspace=workspace)
            rows = [each for architecture in NETWORKS for each in rows_of(data, architecture, workspace)]
        finally:
            stop_cluster(workspace)
    output.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    for each in rows:
        print(each["figure"], "|", each["target"], "|", each["measured"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
