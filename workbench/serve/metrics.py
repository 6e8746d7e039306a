"""The Prometheus page under TensorFlow Serving's metric names."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from workbench.serve.tallies import APIS, CODES, LATENCY_US, METHODS, QUEUING_US, SIZES, STAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.serve.counters import Counters

    Rows = dict[str, Any]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_PREFIX = ":tensorflow:serving:"
_BATCHING = f"{_PREFIX}batching_session:"
_BATCH_SIZES = (
    ("input_size", "input_batch_size", "Samples of a request that shares runs."),
    ("processed_size", "processed_batch_size", "Samples of a run, padding included."),
    ("padding_size", "padding_size", "Samples that a run was padded with."),
)


class MetricsPage(Collector):
    """Reads the counters of all workers when it is asked; counting itself costs no metric object."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def render(self) -> bytes:
        """Return the page."""
        page = generate_latest(self._registry)
        # The library wants counters to end in _total; the original's name does not.
        name = f"{_PREFIX}request_count".encode()
        return page.replace(name + b"_total ", name + b" ")

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics; prometheus_client calls this."""
        rows = self._counters.totals()
        yield _requests(rows)
        models = {name: row for name, row in rows.items() if name}
        yield from _examples(models)
        yield from _latencies(models)
        yield from _batches(models)
        yield _stages(models)
        yield _noted(models)


def _requests(rows: Rows) -> Metric:
    requests = Metric(f"{_PREFIX}request_count", "The total number of requests.", "counter")
    for name, row in rows.items():
        for status, count in zip(CODES, row["requests"].tolist(), strict=True):
            if count:
                requests.add_sample(requests.name, {"model_name": name, "status": status}, count)
    return requests


def _examples(models: Rows) -> Iterator[Metric]:
    counts = HistogramMetricFamily(
        f"{_PREFIX}request_example_counts", "The number of tensorflow.Examples per request.", labels=["model"]
    )
    total = CounterMetricFamily(
        f"{_PREFIX}request_example_count", "The total number of tensorflow.Examples.", labels=["model"]
    )
    for name, row in models.items():
        _add(counts, [name], row["example_counts"], SIZES)
        total.add_metric([name], int(row["examples"]))
    yield from (counts, total)


def _latencies(models: Rows) -> Iterator[Metric]:
    latency = HistogramMetricFamily(
        f"{_PREFIX}request_latency", "Request latency in microseconds.", labels=["model_name", "API", "entrypoint"]
    )
    runtime = HistogramMetricFamily(
        f"{_PREFIX}runtime_latency", "Runtime latency in microseconds.", labels=["model_name", "API", "runtime"]
    )
    warm_up = HistogramMetricFamily(
        f"{_PREFIX}model_warmup_latency", "Warm-up latency in microseconds.", labels=["model_name"]
    )
    for name, row in models.items():
        for i, entry in enumerate(APIS):
            for j, method in enumerate(METHODS):
                if (i, j) == (0, 0) or row["latency"][i, j]["counts"].any():
                    _add(latency, [name, method, entry], row["latency"][i, j], LATENCY_US)
        _add(runtime, [name, "Predict", "TF2"], row["runtime"], LATENCY_US)
        _add(warm_up, [name], row["warm_up"], LATENCY_US)
    yield from (latency, runtime, warm_up)


def _batches(models: Rows) -> Iterator[Metric]:
    queuing = HistogramMetricFamily(
        f"{_BATCHING}queuing_latency", "Time spent in queuing in microseconds.", labels=["model_name"]
    )
    for name, row in models.items():
        _add(queuing, [name], row["queuing"], QUEUING_US)
    yield queuing
    for field, metric, text in _BATCH_SIZES:
        sizes = HistogramMetricFamily(_BATCHING + metric, text, labels=["model_name"])
        for name, row in models.items():
            _add(sizes, [name], row[field], SIZES)
        yield sizes


def _stages(models: Rows) -> Metric:
    stages = HistogramMetricFamily(
        "workbench:serving:stage_latency", "Latency of one stage in microseconds.", labels=["model_name", "stage"]
    )
    for name, row in models.items():
        _add(stages, [name, "queue"], row["queuing"], QUEUING_US)
        for index, stage in enumerate(STAGES):
            _add(stages, [name, stage], row["stages"][index], LATENCY_US)
    return stages


def _noted(models: Rows) -> Metric:
    noted = CounterMetricFamily(
        "workbench:serving:request_log", "Requests that the log has, or lost.", labels=["model_name", "outcome"]
    )
    for name, row in models.items():
        if row["noted"] or row["not_noted"]:
            noted.add_metric([name, "written"], int(row["noted"]))
            noted.add_metric([name, "lost"], int(row["not_noted"]))
    return noted


def _add(family: HistogramMetricFamily, labels: list[str], histogram: Any, bounds: tuple[float, ...]) -> None:
    names = [*(f"{bound:.6g}" for bound in bounds), "+Inf"]
    counts = accumulate(histogram["counts"].tolist())
    buckets = [(bound, float(count)) for bound, count in zip(names, counts, strict=True)]
    family.add_metric(labels, buckets, float(histogram["total"]))
