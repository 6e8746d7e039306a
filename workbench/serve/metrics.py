"""The Prometheus page under TensorFlow Serving's metric names."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from workbench.serve.counters import BUCKETS_US, Counters, Histogram

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = "/monitoring/prometheus/metrics"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_PREFIX = ":tensorflow:serving:"


class MetricsPage(Collector):
    """Reads the counters when it is asked; counting itself costs no metric object."""

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
        requests = Metric(f"{_PREFIX}request_count", "The total number of requests.", "counter")
        for (name, status), count in sorted(self._counters.requests.items()):
            requests.add_sample(requests.name, {"model_name": name, "status": status}, count)
        yield requests
        examples = CounterMetricFamily(
            f"{_PREFIX}request_example_count", "The total number of tensorflow.Examples.", labels=["model"]
        )
        latency = HistogramMetricFamily(
            f"{_PREFIX}request_latency", "Request latency in microseconds.", labels=["model_name", "API", "entrypoint"]
        )
        runtime = HistogramMetricFamily(
            f"{_PREFIX}runtime_latency", "Runtime latency in microseconds.", labels=["model_name", "API", "runtime"]
        )
        for name, one in self._counters.models.items():
            examples.add_metric([name], one.examples)
            latency.add_metric([name, "Predict", "REST"], _buckets(one.latency), one.latency.total)
            runtime.add_metric([name, "Predict", "TF2"], _buckets(one.runtime), one.runtime.total)
        yield from (examples, latency, runtime)


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    bounds = [*(f"{bound:.6g}" for bound in BUCKETS_US), "+Inf"]
    return [(bound, float(count)) for bound, count in zip(bounds, accumulate(histogram.counts), strict=True)]
