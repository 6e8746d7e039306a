"""Where the time of one call goes, by operator where the engine tells."""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.checks import require_whole
from workbench.core.errors import BadInputError
from workbench.core.records.ledger import OperatorTime, Profile
from workbench.evaluate.runtimes.base import open_runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from workbench.core.artifact import Artifact
    from workbench.evaluate.runtimes.base import Runtime

PROFILED = ("onnx", "tflite")
_MOST = {"batch": 4096, "threads": 256, "runs": 10_000}
_WIDE = 32
_FREE_AXIS = 28
_NODE = "_kernel_time"


def profile(
    artifact: Artifact,
    samples: NDArray[np.float32] | None = None,
    *,
    batch: int = 1,
    threads: int = 1,
    runs: int = 50,
    call_ms: float | None = None,
) -> Profile:
    """Time a model's calls and its operators.

    ONNX Runtime times every operator itself; LiteRT's Python package has no such tool, so its operators are counted.

    Args:
        artifact: An ONNX or TFLite model; a `.keras` file runs in TensorFlow only, which the kernel does not load.
        samples: (samples, …) inputs in [0, 1], repeated as needed; None draws some, for speed hardly depends on them.
        batch: Samples a call.
        threads: Threads of one call.
        runs: Timed calls.
        call_ms: What a call takes, where `call_times` measured that beside another model.

    Raises:
        BadInputError: The format cannot be profiled here, or a number is below 1.
        WorkspaceError: The file is missing, truncated or changed.
    """
    _require(batch, threads, runs)
    if artifact.format not in PROFILED:
        raise BadInputError.of(
            "artifact", rule=f"must be one of {', '.join(PROFILED)} to be profiled", got=artifact.label,
            hint="convert it first; models that TensorFlow runs are not timed by operator",
        )  # fmt: skip
    with open_runtime(artifact, threads) as runtime:
        given = _given(samples, runtime)
        call = medians_in_turn([(runtime, _of(given, batch))], runs)[0] if call_ms is None else call_ms
        (wide,) = medians_in_turn([(runtime, _of(given, _WIDE))], max(3, runs // 5))
    feed = _of(given, batch)
    timed = _onnx(artifact, feed, threads, runs) if artifact.format == "onnx" else _tflite(artifact)
    inside = sum(each.ms or 0.0 for each in timed)
    return Profile(
        runtime=artifact.format,
        batch=batch,
        threads=threads,
        runs=runs,
        call_ms=call,
        operators=tuple(sorted(timed, key=lambda each: (-(each.ms or 0.0), -each.count, each.operator))),
        overhead_ms=max(0.0, call - inside) if artifact.format == "onnx" else None,
        wide_ms=wide / _WIDE,
        wide_batch=_WIDE,
    )


def call_times(
    artifacts: Sequence[Artifact],
    samples: NDArray[np.float32] | None = None,
    *,
    batch: int = 1,
    threads: int = 1,
    runs: int = 50,
) -> list[float]:
    """Return the median milliseconds a call of each model, all called in turns.

    Args:
        artifacts: ONNX or TFLite models.
        samples: As in `profile`.
        batch: Samples a call.
        threads: Threads of one call.
        runs: Timed calls of each.

    Raises:
        BadInputError: A number is below 1.
        WorkspaceError: A file is missing, truncated or changed.
    """
    _require(batch, threads, runs)
    with ExitStack() as stack:
        runtimes = [stack.enter_context(open_runtime(artifact, threads)) for artifact in artifacts]
        return medians_in_turn([(each, _of(_given(samples, each), batch)) for each in runtimes], runs)


def medians_in_turn(
    calls: Sequence[tuple[Runtime, NDArray[np.float32]]],
    runs: int,
    *,
    clock: Callable[[], int] = time.perf_counter_ns,
) -> list[float]:
    """Return the median milliseconds of each call.

    They take turns, also in going first, so that a busy machine slows all of them alike.

    Args:
        calls: What is called, and the batch that it is given.
        runs: Timed calls of each, after one that does not count.
        clock: Source of nanoseconds.
    """
    for runtime, batch in calls:
        runtime.predict(batch)
    times: list[list[float]] = [[] for _ in calls]
    for number in range(runs):
        for turn in range(len(calls)):
            which = (number + turn) % len(calls)
            runtime, batch = calls[which]
            start = clock()
            runtime.predict(batch)
            times[which].append((clock() - start) / 1e6)
    return [float(np.median(each)) for each in times]


def _require(batch: int, threads: int, runs: int) -> None:
    for name, value in (("batch", batch), ("threads", threads), ("runs", runs)):
        require_whole(name, value, least=1, most=_MOST[name])


def _given(samples: NDArray[np.float32] | None, runtime: Runtime) -> NDArray[np.float32]:
    return samples if samples is not None and len(samples) else _drawn(runtime)


def _drawn(runtime: Runtime) -> NDArray[np.float32]:
    shape = [axis if axis > 0 else _FREE_AXIS for axis in runtime.inputs[0].shape[1:]]
    return np.random.default_rng(0).random((_WIDE, *shape), np.float32)


def _of(samples: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    return np.ascontiguousarray(np.resize(samples, (count, *samples.shape[1:])), np.float32)


def _onnx(artifact: Artifact, batch: NDArray[np.float32], threads: int, runs: int) -> list[OperatorTime]:
    """Run in a session of its own, for profiling slows every call."""
    import onnxruntime

    with tempfile.TemporaryDirectory(prefix="profile-") as folder:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = onnxruntime.InferenceSession(artifact.path, options, providers=["CPUExecutionProvider"])
        given = session.get_inputs()[0]
        feed = batch.astype(np.float64 if "double" in given.type else np.float32, copy=False)
        for _ in range(runs + 1):
            session.run(None, {given.name: feed})
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    return _by_operator(events, runs)


def _by_operator(events: list[dict[str, Any]], runs: int) -> list[OperatorTime]:
    """Sum up events; the first of each node belongs to the warm-up call."""
    times: dict[str, float] = defaultdict(float)
    nodes: Counter[str] = Counter()
    seen: set[str] = set()
    for event in events:
        if event.get("cat") != "Node" or not event["name"].endswith(_NODE):
            continue
        operator, node = event["args"]["op_name"], f"{event['args'].get('node_index')} {event['name']}"
        if node in seen:
            times[operator] += event["dur"] / 1000
        else:
            seen.add(node)
            nodes[operator] += 1
    return [OperatorTime(operator=name, count=count, ms=times[name] / runs) for name, count in nodes.items()]


def _tflite(artifact: Artifact) -> list[OperatorTime]:
    from ai_edge_litert import schema_py_generated as schema

    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    model = schema.Model.GetRootAs(artifact.path.read_bytes(), 0)
    counts: Counter[str] = Counter()
    graph = model.Subgraphs(0)
    for index in range(graph.OperatorsLength()):
        code = model.OperatorCodes(graph.Operators(index).OpcodeIndex())
        # Files from before the operator codes outgrew a byte have the old field only.
        counts[names.get(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()), "CUSTOM")] += 1
    return [OperatorTime(operator=name, count=count, ms=None) for name, count in counts.items()]
