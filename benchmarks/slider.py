"""The live slider: from a setting to its measured answer, while a finger drags, with onnxruntime's own time beside.

The model is the documents' CNN after one epoch of MNIST (it needs WORKBENCH_DATA); every setting is a new one, so that
nothing is answered from memory but what a slider that stands still leaves as it was.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import workbench.train
from workbench.compress.preview import Preview, PreviewSettings, open_preview
from workbench.compress.preview.measuring import BATCH
from workbench.compress.preview.sensitivity import sensitivity
from workbench.core.artifact import gzip_length
from workbench.core.workspace import Workspace
from workbench.datasets import load_dataset
from workbench.jobs import stop_cluster

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from workbench.core.records import PreviewAnswer

FIRST_MS, THOUSAND_MS, ALL_MS, BEYOND, SCAN_S = 100, 300, 2000, 0.30, 20
EVERY = 8


def dragged() -> list[PreviewSettings]:
    """The settings that sliders pass: sparsity, one layer's, clusters, bits, and all of them together."""
    found = [PreviewSettings(sparsity=step / 100) for step in range(4, 100, 4)]
    found += [PreviewSettings(sparsity=step / 100, scope="global") for step in range(50, 98, 6)]
    layers = ("conv2", "dense")
    found += [
        PreviewSettings(sparsity=0.6, sparsity_by_layer={layer: step / 100})
        for layer in layers
        for step in (30, 75, 90)
    ]
    found += [PreviewSettings(clusters=count) for count in (4, 6, 8, 12, 16, 24, 32, 64)]
    found += [PreviewSettings(weight_bits=bits) for bits in range(8, 1, -1)]
    found += [PreviewSettings(sparsity=step / 100, clusters=16) for step in range(50, 98, 6)]
    found += [PreviewSettings(sparsity=step / 100, clusters=8, weight_bits=4) for step in range(50, 98, 8)]
    return found


def milliseconds(call: Callable[[], object]) -> float:
    """Wall milliseconds of one call."""
    begin = time.perf_counter()
    call()
    return (time.perf_counter() - begin) * 1e3


class Pure:
    """onnxruntime by itself on the same images: the session is there, and its outputs are thrown away."""

    def __init__(self, preview: Preview, images: np.ndarray, threads: int) -> None:
        import onnxruntime

        self._images = images
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        content = preview.candidate(PreviewSettings()).stored.data
        self._halves = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._one = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self._pool = ThreadPoolExecutor(threads)

    def halves(self, count: int) -> float:
        """Milliseconds with as many threads of ours, each asking one thread of the session's."""

        def ask(start: int) -> None:
            self._halves.run(None, {"image": self._images[start : min(start + BATCH, count)]})

        return milliseconds(lambda: list(self._pool.map(ask, range(0, count, BATCH))))

    def one(self, count: int) -> float:
        """Milliseconds with the session's own threads, as its documentation has it."""
        parts = range(0, count, 256)
        run = self._one.run
        return milliseconds(lambda: [run(None, {"image": self._images[at : min(at + 256, count)]}) for at in parts])


def row(figure: str, target: str, measured: str, met: bool | None) -> dict[str, Any]:  # noqa: FBT001 - a table's row
    return {"figure": figure, "target": target, "measured": measured, "met": met}


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[18]


def compared(figure: str, limit: int, answers: list[float], pure: list[float], one: list[float]) -> dict[str, Any]:
    middle, worst = statistics.median(answers), p95(answers)
    measured = (
        f"p50 {middle:.0f} ms, p95 {worst:.0f} ms ({len(answers)} settings); onnxruntime alone on these images "
        f"{statistics.median(pure):.0f} ms in our threads, {statistics.median(one):.0f} ms in its own"
    )
    return row(figure, f"p95 ≤ {limit} ms", measured, worst <= limit)


def by_kind(settings: list[PreviewSettings], answers: list[PreviewAnswer]) -> str:
    """Median milliseconds to the first answer by what was dragged."""
    kinds: dict[str, list[float]] = {}
    for asked, answer in zip(settings, answers, strict=True):
        names = [name for name in ("sparsity", "clusters", "weight_bits") if getattr(asked, name)]
        kinds.setdefault(" + ".join(names), []).append(answer.seconds * 1e3)
    return ", ".join(f"{kind} {statistics.median(values):.0f}" for kind, values in kinds.items())


def measured(preview: Preview, pure: Pure, total: int) -> list[dict[str, Any]]:
    """Ask for every setting; onnxruntime alone is timed in between, on the same machine in the same minute."""
    settings = dragged()
    preview.final(PreviewSettings(sparsity=0.01))
    firsts, thousands, alls = [], [], []
    alone: dict[int, list[float]] = {250: [], 1000: [], total: []}
    theirs: dict[int, list[float]] = {250: [], 1000: [], total: []}
    for number, asked in enumerate(settings):
        found = list(preview.answers(asked, limit=None if number % EVERY == 0 else 1000))
        firsts.append(found[0])
        thousands.append(found[1].seconds * 1e3)
        if found[-1].final:
            alls.append(found[-1].seconds * 1e3)
        counts = [count for count in alone if count < total or found[-1].final]
        for count in counts:
            alone[count].append(pure.halves(count))
            theirs[count].append(pure.one(count))
    first = [answer.seconds * 1e3 for answer in firsts]
    beyond = statistics.median(ours / own for ours, own in zip(alls, alone[total], strict=True)) - 1
    return [
        compared("slider: first answer (250 images, exact bytes)", FIRST_MS, first, alone[250], theirs[250]),
        compared("slider: 1,000 images", THOUSAND_MS, thousands, alone[1000], theirs[1000]),
        compared(f"slider: all {total:,} images", ALL_MS, alls, alone[total], theirs[total]),
        row(
            f"slider: time beyond onnxruntime's own, all {total:,} images",
            f"≤ {BEYOND:.0%}", f"{beyond:.0%} (median of {len(alls)} pairs)", beyond <= BEYOND,
        ),
        row("slider: first answer by what is dragged, median ms", "", by_kind(settings, firsts), None),
        row("slider: the exact gzip'd size alone, within it", "", gzip_alone(preview, settings), None),
    ]  # fmt: skip


def gzip_alone(preview: Preview, settings: list[PreviewSettings]) -> str:
    """What the exact gzip'd size costs by itself."""
    files = [preview.candidate(asked).stored.data for asked in settings]
    times = [milliseconds(lambda data=data: gzip_length(data)) for data in files]  # type: ignore[misc]
    return f"p50 {statistics.median(times):.0f} ms, p95 {p95(times):.0f} ms"


def scanned(preview: Preview) -> dict[str, Any]:
    found = sensitivity(preview)
    measured = f"{found.seconds:.1f} s ({len(found.cells)} cells, each on {found.images:,} of {found.total:,} images)"
    return row("slider: sensitivity of each layer alone", f"≤ {SCAN_S} s", measured, found.seconds <= SCAN_S)


def main(output: Path) -> None:
    if not os.environ.get("WORKBENCH_DATA"):
        sys.exit("needs MNIST: set WORKBENCH_DATA to a folder that holds mnist.npz")
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.at(Path(folder) / "home")
        os.environ["WORKBENCH_HOME"] = str(workspace.home)
        try:
            data = load_dataset("mnist", workspace=workspace)
            model = workbench.train(data, "docs", epochs=1, workspace=workspace)
            with open_preview(model, data, workspace=workspace) as preview:
                # The jobs' processes rest now; what follows happens in this one.
                stop_cluster(workspace)
                pure = Pure(preview, data.floats("test"), min(4, os.cpu_count() or 1))
                rows = [*measured(preview, pure, data.test_size), scanned(preview)]
        finally:
            stop_cluster(workspace)
    output.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    for each in rows:
        print(each["figure"], "|", each["measured"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
