"""Counted figures: summed over workers, kept when one is killed, and bounded whatever clients send."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from workbench.serve.counters import Counters
from workbench.serve.metrics import MetricsPage
from workbench.serve.tallies import MODELS

if TYPE_CHECKING:
    from pathlib import Path


def sample(page: bytes, name: str, **labels: str) -> float:
    for line in page.decode().splitlines():
        found = re.fullmatch(r"([\w:]+)\{(.*)\} (\S+)", line)
        if found and found[1] == name and labels.items() <= dict(re.findall(r'(\w+)="([^"]*)"', found[2])).items():
            return float(found[3])
    raise AssertionError(f"no {name} {labels}")


def test_the_page_sums_all_workers(tmp_path: Path) -> None:
    first = Counters(["a"], folder=tmp_path, worker=0)
    second = Counters(folder=tmp_path, worker=1)
    second.holds = lambda name: name == "b"
    first.count_request("a", "OK")
    first.count_answer("a", 0.001, 0.0005, 3)
    second.count_answer("b", 0.001, 0.0005, 1)  # in another order than the first has them
    second.count_answer("a", 0.003, 0.002, 2, api="GRPC")
    second.count_error("a")
    for one in (first, second):
        page = MetricsPage(one).render()
        assert sample(page, ":tensorflow:serving:request_count", model_name="a", status="OK") == 1
        assert sample(page, ":tensorflow:serving:request_example_count_total", model="a") == 5
        assert sample(page, ":tensorflow:serving:request_latency_count", model_name="a", entrypoint="REST") == 1
        assert sample(page, ":tensorflow:serving:request_latency_sum", model_name="a", entrypoint="GRPC") == 3000
        assert sample(page, ":tensorflow:serving:runtime_latency_sum", model_name="a") == 2500
        stats = one.stats("a", "1")
        assert (stats.requests, stats.errors, stats.p50_ms, stats.p99_ms) == (3, 1, 1.0, 3.0)


def test_batches_are_counted() -> None:
    counters = Counters(["m"])
    counters.count_run("m", 0.002, waits=[0.001, 0.0], sizes=[1, 4], padding=3)
    page = MetricsPage(counters).render()
    batching = ":tensorflow:serving:batching_session:"
    for name, count, total in (
        ("queuing_latency", 2, 1000),
        ("input_batch_size", 2, 5),
        ("processed_batch_size", 1, 8),
        ("padding_size", 1, 3),
    ):
        assert sample(page, f"{batching}{name}_count", model_name="m") == count
        assert sample(page, f"{batching}{name}_sum", model_name="m") == total
    assert sample(page, "workbench:serving:stage_latency_sum", model_name="m", stage="inference") == 2000


def test_a_bucket_holds_its_upper_bound() -> None:
    counters = Counters(["m"])
    for seconds in (10e-6, 18e-6, 18.1e-6):
        counters.count_answer("m", seconds, 0.0, 1)
    page = MetricsPage(counters).render()
    bucket = ":tensorflow:serving:request_latency_bucket"
    assert [sample(page, bucket, model_name="m", le=bound) for bound in ("10", "18", "32.4")] == [1, 2, 3]


@pytest.mark.faults
def test_what_a_killed_worker_counted_is_kept_and_counted_on(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, time\n"
        "from workbench.serve.counters import Counters\n"
        "counters = Counters(folder=pathlib.Path(sys.argv[1]), worker=3)\n"
        "counters.count_answer('m', 0.001, 0.001, 1)\n"
        "print('counted', flush=True)\n"
        "time.sleep(60)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    with child, child.stdout:
        assert child.stdout.readline() == b"counted\n"
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
    assert Counters(folder=tmp_path, worker=0).stats("m", "1").requests == 1
    successor = Counters(folder=tmp_path, worker=3)
    successor.count_answer("m", 0.001, 0.001, 1)
    assert successor.stats("m", "1").requests == 2


def test_clients_cannot_make_it_grow() -> None:
    counters = Counters(["m"])
    for number in range(2 * MODELS):
        counters.count_request(f"made up {number}", "NOT_FOUND")
        counters.count_error(f"made up {number}")
    assert set(counters.totals()) == {"", "m"}
    assert counters.requests("", "NOT_FOUND") == 2 * MODELS


def test_models_beyond_the_last_row_are_nobodys() -> None:
    counters = Counters(f"m{number}" for number in range(MODELS + 5))
    counters.count_answer(f"m{MODELS + 4}", 0.001, 0.001, 1)
    assert len(counters.totals()) == MODELS
    assert counters.totals()[""]["predictions"] == 1


@pytest.mark.parametrize("content", [b"", b"no counters at all" * 1000])
def test_a_foreign_file_in_the_folder_is_left_out(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "counters-9.bin").write_bytes(content)
    counters = Counters(["m"], folder=tmp_path)
    counters.count_answer("m", 0.001, 0.001, 1)
    assert counters.stats("m", "1").requests == 1
    assert (tmp_path / "counters-9.bin").stat().st_size == len(content)
