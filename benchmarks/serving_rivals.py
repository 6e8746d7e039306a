"""The serving sandbox beside other servers, all with the same ONNX file, one process and one thread a run.

Every server is up; in each round each is asked in turn by the same load generator (closed loop, a process of its own),
so that what the machine does to one it does to all. Figures are medians over the rounds, ratios medians of the rounds'
ratios. The environments of the rivals (1.6 GB) are made in the folder that `WORKBENCH_RIVALS` names.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import urllib3
from rivals.cells import AT, CONNECTIONS, Cells, Figures, compared, tail
from rivals.forms import JSON, Form
from rivals.roster import FOLDER, OURS, ROSTER, Rival, cpu_seconds, ended, install, start, stop
from serving import docs_cnn, row

from workbench.core.workspace import Workspace
from workbench.evaluate.runtimes import open_runtime
from workbench.serve.load import LoadSettings, LoadTarget, run_load
from workbench.serve.sandbox import serve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.core.artifact import Artifact

BATCHES = (1, 64)
ROUNDS, SECONDS, MINUTES = 3, 1.5, 10.0
_BUSY = 0.8  # of a core: from here on the load generator measures itself
CORES_LEAST = 0.4
_READY_SECONDS = 120.0
_WARMUPS = 50


@dataclass(frozen=True)
class Asked:
    """One server in one form.

    Attributes:
        least: At least so many times its requests a second should be ours, by batch, at 16 connections.
    """

    name: str
    form: Form
    url: str
    pid: int
    least: Mapping[int, float] = field(default_factory=dict)


def images_of(batch: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(batch).random((batch, 28, 28, 1), dtype=np.float32)


def check(asked: Asked, artifact: Artifact) -> str:
    """Wait for an answer, compare it with the file's in this process, warm up; say what is wrong, if anything."""
    pool, deadline = urllib3.PoolManager(retries=False, timeout=30), time.monotonic() + _READY_SECONDS
    with open_runtime(artifact) as runtime:
        for batch in BATCHES:
            images = images_of(batch)
            body, headers = asked.form.write(images)
            while True:
                with contextlib.suppress(urllib3.exceptions.HTTPError):
                    response = pool.request("POST", asked.url, body=body, headers=headers)
                    if response.status != 503:  # noqa: PLR2004 - not ready yet
                        break
                if ended(asked.pid):
                    return "has ended"
                if time.monotonic() > deadline:
                    return "does not answer"
                time.sleep(0.1)
            if response.status != 200:  # noqa: PLR2004
                return f"answers {response.status}: {response.data[:100]!r}"
            found = asked.form.read(response.data, response.headers)
            if not np.allclose(found, runtime.predict(images), atol=1e-5):
                return "answers something else than the file"
            for _ in range(_WARMUPS):
                pool.request("POST", asked.url, body=body, headers=headers)
    return ""


def measure(asked: Asked, batch: int, connections: int, seconds: float) -> Figures | None:
    body, headers = asked.form.write(images_of(batch))
    before = cpu_seconds(asked.pid)
    result = run_load(
        LoadTarget(asked.url, [body], headers),
        LoadSettings(connections=connections, seconds=seconds, warmup_seconds=0, batch=batch, timeout_seconds=30),
    )
    if result.failed or result.p50_ms is None or result.p99_ms is None:
        what = f"batch {batch}, {connections} connections: {result.errors} beside {result.requests} answers"
        print(f"{asked.name} ({asked.form.name}) did not answer every request, {what}", flush=True)
        return None
    if result.client_cpu > _BUSY:
        print(
            f"{asked.name} ({asked.form.name}): the load generator took {result.client_cpu:.0%} of a core", flush=True
        )
    cpu = (cpu_seconds(asked.pid) - before) / result.requests
    return Figures(result.throughput, result.p50_ms, result.p99_ms, cpu * 1e6)


def measure_all(everyone: Sequence[Asked], rounds: int, seconds: float, minutes: float) -> Cells:
    """Go round after round through all cells, one server after the other in each, as long as a round still fits."""
    cells, begin = Cells(), time.monotonic()
    for done in range(rounds):
        spent = (time.monotonic() - begin) / 60
        if done and spent * (done + 1) / done > minutes:
            print(f"{done} of {rounds} rounds took {spent:.1f} minutes; another does not fit", flush=True)
            break
        for batch, connections, asked in product(BATCHES, CONNECTIONS, everyone):
            found = measure(asked, batch, connections, seconds)
            cells.rounds.setdefault((asked.name, asked.form.name, batch, connections), []).append(found)
        print(f"round {done + 1} is done after {(time.monotonic() - begin) / 60:.1f} minutes", flush=True)
    return cells


def in_process(artifact: Artifact, seconds: float) -> float:
    """Images a second of the file in this process, one thread a core, each with one image at a time."""
    counts = [0] * (os.cpu_count() or 1)
    end = time.perf_counter() + seconds
    with open_runtime(artifact) as runtime:

        def ask(index: int) -> None:
            images = images_of(1)
            while time.perf_counter() < end:
                runtime.predict(images)
                counts[index] += 1

        threads = [threading.Thread(target=ask, args=(index,)) for index in range(len(counts))]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    return sum(counts) / seconds


def all_cores(artifact: Artifact, workspace: Workspace, rounds: int, seconds: float) -> dict[str, Any]:
    with serve(artifact, "docs_cnn", workers=0, workspace=workspace) as server:
        asked = Asked("ours", JSON, server.url + OURS[JSON], server.pid or 0)
        if wrong := check(asked, artifact):
            sys.exit(f"all workers: {wrong}")
        pairs = [
            (found.throughput, in_process(artifact, seconds))
            for _ in range(rounds)
            if (found := measure(asked, 1, AT, seconds)) is not None
        ]
    share = statistics.median(served / here for served, here in pairs)
    served, here = (statistics.median(each) for each in zip(*pairs, strict=True))
    return row(
        f"serving, one image, JSON, a worker a core, {AT} connections: share of the file in process",
        f"≥ {CORES_LEAST:.0%}",
        f"{share:.0%} ({served:,.0f} of {here:,.0f} images/s; the load generator is on the same cores)",
        share >= CORES_LEAST,
    )


def rivals(chosen: Sequence[Rival], model: Path, stack: contextlib.ExitStack) -> list[Asked]:
    """Install and start them; whoever cannot be is named and left out."""
    found, logs = [], Path(stack.enter_context(tempfile.TemporaryDirectory()))
    for rival in chosen:
        try:
            python, version = install(rival, Path(os.environ[FOLDER]))
        except RuntimeError as error:
            print(error, flush=True)
            continue
        child, port = start(rival, python, model, logs / rival.program)
        stack.callback(stop, child)
        name = f"{rival.name} {version}"
        found += [
            Asked(name, form, f"http://127.0.0.1:{port}{path}", child.pid, rival.least)
            for form, path in rival.ways.items()
        ]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of one measurement")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="no further round begins that would take longer")
    parser.add_argument("--only", nargs="*", default=None, metavar="PROGRAM", help="of the rivals, e.g. fastapi_tuned")
    given = parser.parse_args()
    if FOLDER not in os.environ:
        sys.exit(f"{FOLDER} must name a folder for the rivals' environments (1.6 GB), which are made there once.")
    chosen = [each for each in ROSTER if given.only is None or Path(each.program).stem in given.only]
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        artifact, workspace = docs_cnn(Path(folder)), Workspace.at(Path(folder) / "home")
        server = stack.enter_context(serve(artifact, "docs_cnn", workers=1, workspace=workspace))
        everyone = [Asked("ours", form, server.url + path, server.pid or 0) for form, path in OURS.items()]
        everyone += rivals(chosen, artifact.path, stack)
        for asked in list(everyone):
            if wrong := check(asked, artifact):
                print(f"{asked.name} ({asked.form.name}) is left out: it {wrong}", flush=True)
                everyone.remove(asked)
        cells = measure_all(everyone, given.rounds, given.seconds, given.minutes)
        stack.close()
        ours = [asked.form for asked in everyone if asked.name == "ours"]
        rows = [tail(cells, form.name, 1) for form in ours]
        rows += [
            compared(cells, asked.name, asked.form.name, batch, asked.least.get(batch))
            for batch, asked in product(BATCHES, everyone)
            if asked.name != "ours" and asked.form in ours
        ]
        rows.append(all_cores(artifact, workspace, given.rounds, given.seconds))
    given.output.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    for each in rows:
        print(each["figure"], "|", each["target"], "|", each["measured"])


if __name__ == "__main__":
    main()
