"""The layout of counted figures: one row a model, the same in memory, in a file and in every worker."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

import numpy as np

from workbench.serve.status import Code

CODES = tuple(code.name for code in Code)
APIS = ("REST", "GRPC", "OIP")
METHODS = ("Predict", "Classify", "Regress")
STAGES = ("inference", "encode")

LATENCY_US = tuple(10 * 1.8**power for power in range(33))
"""Upper bounds of TensorFlow Serving's latency buckets, microseconds; so are the next two."""
QUEUING_US = tuple(100 * 1.2**power for power in range(52))
SIZES = tuple(float(1 << power) for power in range(15))

KEPT = 1024
"""Latencies kept a model and worker, the last ones."""
NAME_BYTES = 512
MODELS = 256
"""Rows; the first counts what asks for no model that there is."""


def _histogram(bounds: tuple[float, ...]) -> np.dtype[Any]:
    return np.dtype([("counts", "<i8", len(bounds) + 1), ("total", "<f8")])


ROW = np.dtype(
    [
        ("name", f"S{NAME_BYTES}"),
        ("requests", "<i8", len(CODES)),
        ("predictions", "<i8"),
        ("errors", "<i8"),
        ("examples", "<i8"),
        ("example_counts", _histogram(SIZES)),
        ("latency", _histogram(LATENCY_US), (len(APIS), len(METHODS))),
        ("runtime", _histogram(LATENCY_US)),
        ("stages", _histogram(LATENCY_US), len(STAGES)),
        ("warm_up", _histogram(LATENCY_US)),
        ("queuing", _histogram(QUEUING_US)),
        ("input_size", _histogram(SIZES)),
        ("processed_size", _histogram(SIZES)),
        ("padding_size", _histogram(SIZES)),
        ("noted", "<i8"),
        ("not_noted", "<i8"),
        ("answered", "<i8"),
        ("last", "<f4", KEPT),
    ]
)
HEAD = np.dtype([("magic", "S8"), ("version", "<i8"), ("started", "<f8"), ("row_bytes", "<i8")])
FILE = np.dtype([("head", HEAD), ("rows", ROW, MODELS)])
MAGIC, VERSION = b"WBCOUNTS", 2


def _elements(array: np.ndarray[Any, Any]) -> Any:
    # A memory view is twice as fast as the array at one element; its type knows bytes only.
    return memoryview(array)  # type: ignore[arg-type]


class Histogram:
    """Counts values a bucket, in place; the last bucket is beyond all bounds."""

    __slots__ = ("_bounds", "_counts", "_total")

    def __init__(self, record: np.ndarray[Any, Any], bounds: tuple[float, ...]) -> None:
        """Count into one record of a file.

        Args:
            record: Array of one element, with `counts` and `total`.
            bounds: Upper bounds of the buckets.
        """
        self._bounds = bounds
        self._counts = _elements(record["counts"].reshape(-1))
        self._total = _elements(record["total"].reshape(-1))

    def observe(self, value: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._total[0] += value


class Tallies:
    """One model's row as it is counted into."""

    def __init__(self, row: np.ndarray[Any, Any]) -> None:
        """Count into one row of a file.

        Args:
            row: Array of one `ROW`.
        """
        self.requests, self._last = _elements(row["requests"][0]), _elements(row["last"][0])
        self.predictions, self.errors, self.examples = (
            _elements(row[name]) for name in ("predictions", "errors", "examples")
        )
        self.noted, self.not_noted = _elements(row["noted"]), _elements(row["not_noted"])
        self._answered = _elements(row["answered"])
        self.latency = {
            (api, method): Histogram(row["latency"][:, i, j], LATENCY_US)
            for i, api in enumerate(APIS)
            for j, method in enumerate(METHODS)
        }
        self.inference, self.encode = (Histogram(row["stages"][:, i], LATENCY_US) for i in range(len(STAGES)))
        self.runtime = Histogram(row["runtime"], LATENCY_US)
        self.warm_up = Histogram(row["warm_up"], LATENCY_US)
        self.queuing = Histogram(row["queuing"], QUEUING_US)
        self.example_counts = Histogram(row["example_counts"], SIZES)
        self.input_size = Histogram(row["input_size"], SIZES)
        self.processed_size = Histogram(row["processed_size"], SIZES)
        self.padding_size = Histogram(row["padding_size"], SIZES)

    def keep(self, microseconds: float) -> None:
        """Keep a latency among the last ones."""
        count = self._answered[0]
        self._last[count % KEPT] = microseconds
        self._answered[0] = count + 1
