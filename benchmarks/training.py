"""Accuracy of both recipes on MNIST's test set, and what the loop around `model.fit` costs.

Accuracy: each recipe is trained with the seeds 0, 1, 2 as anyone would (`workbench.train`, `workbench.evaluate`); the
test set is looked at once, after the last epoch.

Time: one epoch of the recipe (events, checkpoint and all) and one of a bare `model.fit` on the same network, data and
batch size take turns; the median of the ratios of neighbours is what other load on the machine disturbs least. Each
has a process of its own and sleeps while the other works: the recipe makes TensorFlow's operations deterministic, for
the whole process, and the bare one must not pay for that. The first pair, in which both trace their graphs, does not
count.

Needs MNIST at hand (WORKBENCH_DATA). `WORKBENCH_BENCH_SEEDS` (default 3) and `WORKBENCH_BENCH_PAIRS` (default 5)
shorten it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import workbench
from workbench.core.events import EventWriter
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset, default_dataset
from workbench.evaluate.intervals import wilson
from workbench.jobs import StageContext, stop_cluster
from workbench.train.fit import train_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

ACCURACY = {"docs": 0.990, "best": 0.995}
MOST_TIME = 1.15
SEEDS = range(int(os.environ.get("WORKBENCH_BENCH_SEEDS", "3")))
PAIRS = int(os.environ.get("WORKBENCH_BENCH_PAIRS", "5"))


def accuracy_row(workspace: Workspace, data: Dataset, recipe: str) -> dict[str, Any]:
    successes, seconds = [], []
    for seed in SEEDS:
        artifact = workbench.train(data, recipe, seed=seed, workspace=workspace)
        accuracy = workbench.evaluate(artifact, data, workspace=workspace).accuracy
        successes.append(accuracy.successes)
        seconds.append(artifact.metrics["seconds"] / artifact.metrics["epochs"])
        print(f"{recipe}, seed {seed}: {accuracy.value:.4f}, {seconds[-1]:.1f} s an epoch", flush=True)
    return {
        "figure": f"MNIST test accuracy, recipe `{recipe}`, 5 epochs, mean of {len(SEEDS)} seeds",
        "target": f"≥ {ACCURACY[recipe]:.1%}",
        "measured": spread(successes, data.test_size),
        "met": statistics.mean(successes) / data.test_size >= ACCURACY[recipe],
    }


def spread(successes: Sequence[int], total: int) -> str:
    """Mean with its range over the seeds, and the Wilson interval that a test set of this size allows one model."""
    shares = [count / total for count in successes]
    interval = wilson(round(statistics.mean(successes)), total)
    return (
        f"{statistics.mean(shares):.2%} ({', '.join(f'{share:.2%}' for share in shares)}; "
        f"Wilson 95 % of one model {interval.low:.2%}–{interval.high:.2%})"
    )


def time_row(workspace: Workspace, data: Dataset, recipe: str) -> dict[str, Any]:
    pairs = workspace.home / f"{recipe}-pairs.json"
    child = os.environ | {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([sys.executable, __file__, "turns", str(pairs), str(data.folder), recipe], check=True, env=child)
    seconds = json.loads(pairs.read_text(encoding="utf-8"))
    ratios = [ours / bare for ours, bare in seconds]
    for ours, bare in seconds:
        print(f"{recipe}: {ours:.2f} s, bare {bare:.2f} s, ratio {ours / bare:.3f}", flush=True)
    return {
        "figure": f"time per epoch, recipe `{recipe}`, against a bare `model.fit`",
        "target": f"≤ {MOST_TIME}x",
        "measured": f"{statistics.median(ratios):.2f}x (median of {len(ratios)} interleaved pairs, "
        f"{min(ratios):.2f}–{max(ratios):.2f})",
        "met": statistics.median(ratios) <= MOST_TIME,
    }


def take_turns(output: str, folder: str, recipe: str) -> None:
    """In a process of its own: train by the recipe, and after each epoch have the bare twin fit for one epoch."""
    import tf_keras

    from workbench.train.architectures.base import ARCHITECTURES
    from workbench.train.loop import learn, seed_everything

    data = Dataset.open(folder)
    settings = train_settings(data, recipe, epochs=PAIRS + 1)
    seed_everything(settings.seed)
    ours = ARCHITECTURES.get(settings.architecture)().build(data.shape, len(data.classes))
    seconds: list[tuple[float, float]] = []

    class Turns(tf_keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            del epoch, logs
            self.began = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            del epoch, logs
            mine = time.perf_counter() - self.began
            print("fit", file=bare.stdin, flush=True)
            seconds.append((mine, float(bare.stdout.readline())))  # type: ignore[union-attr]

    workspace = Workspace.at(Path(output).parent)
    run = workspace.new_run("train")
    context = StageContext(run, {}, workspace, resumed=False, events=EventWriter(run))
    command = [sys.executable, __file__, "bare", folder, settings.architecture, str(settings.batch_size)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as bare:
        bare.stdout.readline()  # type: ignore[union-attr]  # it has read its data and built its network
        learn(ours, data, settings, context, label=recipe, callbacks=[Turns()])
    Path(output).write_text(json.dumps(seconds[1:]), encoding="utf-8")


def fit_bare(folder: str, architecture: str, batch_size: str) -> None:
    """In a process of its own, as TensorFlow comes: fit for one epoch at each line read, and say its seconds."""
    import tf_keras

    from workbench.train.architectures.base import ARCHITECTURES

    data = Dataset.open(folder)
    model = ARCHITECTURES.get(architecture)().build(data.shape, len(data.classes))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    images = data.floats("train")
    labels = tf_keras.utils.to_categorical(data.labels("train"), len(data.classes))
    print("built", flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        model.fit(images, labels, batch_size=int(batch_size), epochs=1, verbose=0)
        print(time.perf_counter() - began, flush=True)


def main(output: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.at(folder)
        if default_dataset(workspace).name != "mnist":
            sys.exit("This benchmark needs MNIST: set WORKBENCH_DATA to a folder that holds mnist.npz.")
        try:
            data = workbench.load_dataset("mnist", workspace=workspace)
            rows = [time_row(workspace, data, recipe) for recipe in ACCURACY]
            rows += [accuracy_row(workspace, data, recipe) for recipe in ACCURACY]
        finally:
            stop_cluster(workspace)
    output.write_text(json.dumps(rows), encoding="utf-8")
    for row in rows:
        print(row["figure"], row["target"], row["measured"])


if __name__ == "__main__":
    if len(sys.argv) > 2:  # noqa: PLR2004 - called by itself
        {"turns": take_turns, "bare": fit_bare}[sys.argv[1]](*sys.argv[2:])
    else:
        main(Path(sys.argv[1]))
