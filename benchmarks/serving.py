"""The serving sandbox: start to ready, hot swap, memory, and what HTTP adds to a call beside the file in process.

The model is the documents' CNN (93,322 parameters) with random weights, written as ONNX without any framework.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

from workbench.core.artifact import Artifact
from workbench.core.errors import WorkbenchError
from workbench.core.workspace import Workspace
from workbench.evaluate.runtimes import open_runtime
from workbench.serve.sandbox import serve

if TYPE_CHECKING:
    from collections.abc import Callable

STARTS = 7
PAIRS = 500
BATCH = 64
READY_S = 2.0
SWAP_S = 1.0
MEMORY_MB = 150
PARAMETERS = 93_322


def docs_cnn(folder: Path, seed: int = 0) -> Artifact:
    """Write the documents' CNN as ONNX: `image` (n, 28, 28, 1) -> `probabilities` (n, 10)."""
    from onnx import TensorProto, helper, numpy_helper

    folder.mkdir(exist_ok=True)
    draw = np.random.default_rng(seed)
    weights: list[Any] = []
    nodes = [helper.make_node("Transpose", ["image"], ["x0"], perm=[0, 3, 1, 2])]

    def add(kind: str, shape: tuple[int, ...], at: str, **attributes: Any) -> str:
        index = len(weights)
        bias = shape[0] if kind == "Conv" else shape[1]
        for suffix, size in (("w", shape), ("b", (bias,))):
            values = draw.normal(0, 0.05, size).astype(np.float32)
            weights.append(numpy_helper.from_array(values, f"{suffix}{index}"))
        nodes.append(helper.make_node(kind, [at, f"w{index}", f"b{index}"], [f"y{index}"], **attributes))
        return f"y{index}"

    def then(kind: str, at: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, [at], [f"{at}-{kind}"], **attributes))
        return f"{at}-{kind}"

    at = then("Relu", add("Conv", (32, 1, 3, 3), "x0"))
    at = then("MaxPool", at, kernel_shape=[2, 2], strides=[2, 2])
    at = then("Relu", add("Conv", (64, 32, 3, 3), at))
    at = then("MaxPool", at, kernel_shape=[2, 2], strides=[2, 2])
    at = then("Flatten", then("Relu", add("Conv", (64, 64, 3, 3), at)))
    at = add("Gemm", (64, 10), then("Relu", add("Gemm", (576, 64), at)))
    nodes.append(helper.make_node("Softmax", [at], ["probabilities"]))
    assert sum(int(np.prod(weight.dims)) for weight in weights) == PARAMETERS
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 28, 28, 1])
    answer = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 10])
    graph = helper.make_graph(nodes, "docs_cnn", [image], [answer], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    return Artifact.write(folder, file="model.onnx", name="docs_cnn", format="onnx", numeric="float32")


def seconds(call: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def start_seconds(artifact: Artifact, workspace: Workspace) -> list[float]:
    """Wall seconds from the call to the first answer about the model's state."""
    found = []
    for _ in range(STARTS):
        begin = time.perf_counter()
        with serve(artifact, "docs_cnn", workspace=workspace):
            found.append(time.perf_counter() - begin)
    return found


def as_tflite(artifact: Artifact, workspace: Workspace) -> Artifact:
    """Return the same network as TFLite; the job cluster that makes it is gone when this returns."""
    from workbench.convert.routes import convert_along
    from workbench.datasets import load_dataset
    from workbench.jobs import stop_cluster

    try:
        return convert_along(
            artifact, "tflite", dataset=load_dataset("digits", workspace=workspace), workspace=workspace
        )
    finally:
        stop_cluster(workspace)


def swap_seconds(artifacts: list[Artifact], workspace: Workspace) -> tuple[list[float], int, int]:
    """Publish versions into a server that is asked all the time.

    Returns:
        Wall seconds from each call to its return, when all workers answer with the new version; requests that were
        answered meanwhile, and those that failed.
    """
    image = np.zeros((1, 28, 28, 1), np.float32)
    answered, failed, over = 0, 0, threading.Event()
    with serve(artifacts[0], "docs_cnn", workspace=workspace) as server:

        def ask() -> None:
            nonlocal answered, failed
            while not over.is_set():
                try:
                    server.client.predict(image)
                    answered += 1
                except WorkbenchError:
                    failed += 1

        asking = threading.Thread(target=ask)
        asking.start()
        found = [seconds(lambda one=each: server.publish(one)) for each in artifacts[1:]]  # type: ignore[misc]
        over.set()
        asking.join()
    return found, answered, failed


def row(figure: str, target: str, measured: str, met: bool | None) -> dict[str, Any]:  # noqa: FBT001 - a table's row
    return {"figure": figure, "target": target, "measured": measured, "met": met}


def asked(artifact: Artifact, workspace: Workspace, batch: int, pairs: int) -> tuple[list[float], list[float], float]:
    """Ask a server and the same file in this process in turns.

    Returns:
        Wall seconds of each request, of each call in process, and a worker's resident memory at the end, MB.
    """
    images = np.random.default_rng(1).random((batch, 28, 28, 1), dtype=np.float32)
    with serve(artifact, "docs_cnn", workspace=workspace) as server, open_runtime(artifact) as runtime:
        np.testing.assert_allclose(server.client.predict(images), runtime.predict(images), atol=1e-6)
        served, here = [], []
        for _ in range(pairs):
            served.append(seconds(lambda: server.client.predict(images)))
            here.append(seconds(lambda: runtime.predict(images)))
        return served, here, max(psutil.Process(one.pid).memory_info().rss for one in server.workers) / 1e6


def limited(figure: str, limit: float, found: list[float], more: str = "") -> dict[str, Any]:
    middle = statistics.median(found)
    measured = f"{middle:.2f} s (median of {len(found)}, worst {max(found):.2f}){more}"
    return row(figure, f"≤ {limit:g} s", measured, middle <= limit)


def compared(batch: int, served: list[float], here: list[float]) -> dict[str, Any]:
    ms, own = statistics.median(served) * 1e3, statistics.median(here) * 1e3
    p99 = statistics.quantiles(served, n=100)[98] * 1e3
    ratio = statistics.median(one / other for one, other in zip(served, here, strict=True))
    what = "one image" if batch == 1 else f"{batch} images"
    measured = f"p50 {ms:.2f} ms, p99 {p99:.2f} ms; in process {own:.3f} ms (median ratio {ratio:.1f})"
    return row(f"serving: {what} as JSON over HTTP, one connection, Python client", "", measured, None)


def main(output: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        artifact = docs_cnn(Path(folder))
        workspace = Workspace.at(Path(folder) / "home")
        starts = start_seconds(artifact, workspace)
        lite = start_seconds(as_tflite(artifact, workspace), workspace)
        versions = [docs_cnn(Path(folder) / f"version{seed}", seed) for seed in range(1, STARTS + 2)]
        swaps, answered, failed = swap_seconds(versions, Workspace.at(Path(folder) / "swaps"))
        one, one_here, memory = asked(artifact, workspace, 1, PAIRS)
        many, many_here, _ = asked(artifact, workspace, BATCH, PAIRS // 5)
    swapped = f"; {answered:,} requests meanwhile, {failed} failed"
    rows = [
        limited("serving: start to ready, ONNX", READY_S, starts),
        limited("serving: start to ready, TFLite", READY_S, lite),
        limited("serving: hot swap, asked to all workers answering with it, under requests", SWAP_S, swaps, swapped),
        row(
            f"serving: memory of a worker after {PAIRS} requests",
            f"≤ {MEMORY_MB} MB",
            f"{memory:.0f} MB",
            memory <= MEMORY_MB,
        ),
        compared(1, one, one_here),
        compared(BATCH, many, many_here),
    ]
    output.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    for each in rows:
        print(each["figure"], "|", each["measured"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
