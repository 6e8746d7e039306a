import gc
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
import pytest

from workbench.core.errors import BadInputError
from workbench.evaluate.latency import measure_latency
from workbench.evaluate.runtimes import Runtime, TensorSpec

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Slow(Runtime):
    """Takes 50 ms at the first call and 1, 2, 3, … ms at the next ones, on its own clock."""

    def __init__(self) -> None:
        self.inputs = self.outputs = (TensorSpec(name="x", dtype="float32", shape=(-1, 2)),)
        self.threads = 1
        self.now = 0
        self.sizes: list[int] = []
        self.seen: list[float] = []
        self.collecting: list[bool] = []
        self._durations: Iterator[int] = count(0)

    def _run(self, batch: np.ndarray) -> np.ndarray:
        self.now += (next(self._durations) or 50) * 1_000_000
        self.sizes.append(len(batch))
        self.seen.append(float(batch[0, 0]))
        self.collecting.append(gc.isenabled())
        return batch


@pytest.fixture
def samples() -> np.ndarray:
    return np.arange(14, dtype=np.float32).reshape(7, 2)


def test_warm_up_is_kept_apart(samples: np.ndarray) -> None:
    slow = _Slow()
    result = measure_latency(slow, samples, runs=101, warmup=1, clock=lambda: slow.now)
    assert result.warmup_ms == 50
    assert (result.p50_ms, result.p95_ms, result.p99_ms) == (51, 96, 100)
    assert (result.runs, len(slow.sizes)) == (101, 102)


def test_calls_take_samples_in_turn_in_whole_batches(samples: np.ndarray) -> None:
    slow = _Slow()
    measure_latency(slow, samples, batch=3, runs=3, warmup=1, clock=lambda: slow.now)
    assert slow.sizes == [3, 3, 3, 3]
    assert slow.seen == [0, 6, 0, 6]


def test_the_garbage_collector_rests_and_comes_back(samples: np.ndarray) -> None:
    slow = _Slow()
    measure_latency(slow, samples, runs=2, clock=lambda: slow.now)
    assert not any(slow.collecting)
    assert gc.isenabled()


@pytest.mark.parametrize("wrong", [{"batch": 8}, {"batch": 0}, {"runs": 0}, {"warmup": 0}])
def test_impossible_requests_are_refused(samples: np.ndarray, wrong: dict[str, int]) -> None:
    with pytest.raises(BadInputError, match="at least"):
        measure_latency(_Slow(), samples, **wrong)
