"""What is counted of a rollout: in one worker, and of all of them together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.records.rollout import RolloutReport, RolloutSide
from workbench.serve.status import Code, RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workbench.serve.rollout.route import Route

    Arrays = Mapping[str, np.ndarray[Any, Any]]

_STEP = math.log(1.02)
"""Times are kept to 2 %."""
_HALF = 0.5  # of a single score, what says yes
_NO_ERRORS = (Code.INVALID_ARGUMENT, Code.CANCELLED)


class Tally:
    """Counts that can be added, as plain JSON `values`."""

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self.values: dict[str, Any] = {
            "requests": [0, 0], "errors": [0, 0], "times": [{}, {}],
            "pairs": 0, "agreed": 0, "difference": 0.0, "compared": 0, "dropped": 0,
        }  # fmt: skip
        if values is not None:
            self.add(values)

    def count(self, side: int, seconds: float, error: Exception | None) -> None:
        """Count a request that one side (0 stable, 1 canary) answered or failed."""
        values = self.values
        if error is not None and is_clients_fault(error):
            return
        values["requests"][side] += 1
        if error is not None:
            values["errors"][side] += 1
        else:
            self.time(side, seconds)

    def time(self, side: int, seconds: float) -> None:
        """Count how long one side took; 0 is not known."""
        if seconds > 0:
            bucket = str(round(math.log(seconds) / _STEP))  # keys of JSON objects are texts
            times = self.values["times"][side]
            times[bucket] = times.get(bucket, 0) + 1

    def compare(self, stable: Arrays, canary: Arrays) -> None:
        """Count the samples of two answers to the same request."""
        values, ours, theirs = self.values, _first(stable), _first(canary)
        if ours is None or theirs is None:
            return
        samples = ours.shape[0] if ours.ndim else 1
        values["pairs"] += samples
        if ours.shape != theirs.shape or not samples:
            return
        if not (_is_numeric(ours) and _is_numeric(theirs)):
            values["agreed"] += samples if np.array_equal(ours, theirs) else 0
            return
        ours, theirs = ours.reshape(samples, -1), theirs.reshape(samples, -1)
        values["agreed"] += int(np.sum(_says(ours) == _says(theirs)))
        difference = np.abs(ours.astype(np.float64) - theirs.astype(np.float64))
        finite = difference[np.isfinite(difference)]
        values["difference"] += float(finite.sum())
        values["compared"] += int(finite.size)

    def miss(self, samples: int) -> None:
        """Count samples of which one side said nothing, because it failed."""
        self.values["pairs"] += samples

    def add(self, other: Mapping[str, Any]) -> None:
        """Add the values of another."""
        for name, found in other.items():
            mine = self.values[name]
            if name == "times":
                for into, each in zip(mine, found, strict=True):
                    for bucket, count in each.items():
                        into[bucket] = into.get(bucket, 0) + count
            else:
                self.values[name] = (
                    [a + b for a, b in zip(mine, found, strict=True)] if isinstance(mine, list) else mine + found
                )

    def report(self, model: str, route: Route) -> RolloutReport:
        """Return it as the record of a rollout that runs."""
        from workbench.evaluate.intervals import wilson

        assert route.canary is not None, "a rollout runs"
        values = self.values
        return RolloutReport(
            model=model,
            state="running",
            percent=route.percent,
            shadow=route.shadow,
            stable=self._side(0, route.stable),
            canary=self._side(1, route.canary),
            pairs=values["pairs"],
            agreement=wilson(values["agreed"], values["pairs"]) if values["pairs"] else None,
            mean_difference=values["difference"] / values["compared"] if values["compared"] else None,
            dropped=values["dropped"],
        )

    def _side(self, side: int, version: int) -> RolloutSide:
        values, times = self.values, self.values["times"][side]
        return RolloutSide(
            version=version,
            requests=values["requests"][side],
            errors=values["errors"][side],
            p50_ms=_percentile(times, 0.50),
            p95_ms=_percentile(times, 0.95),
        )


def added(every: Iterable[Mapping[str, Any]]) -> Tally:
    """Return the counts of several workers as one."""
    tally = Tally()
    for each in every:
        tally.add(each)
    return tally


def is_clients_fault(error: Exception) -> bool:
    """Tell whether a request failed because of what it was: both versions would refuse it."""
    return isinstance(error, RequestError) and error.code in _NO_ERRORS


def _percentile(times: Mapping[str, int], share: float) -> float | None:
    left = share * sum(times.values())
    for bucket, count in sorted((int(bucket), count) for bucket, count in times.items()):
        left -= count
        if left <= 0:
            return 1000 * math.exp(bucket * _STEP)
    return None


def _first(outputs: Arrays) -> np.ndarray[Any, Any] | None:
    # Two models of the same task may call their outputs differently.
    return next(iter(outputs.values()), None)


def _says(rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if rows.shape[1] > 1:
        found: np.ndarray[Any, Any] = rows.argmax(axis=1)
        return found
    return np.asarray(rows[:, 0] > _HALF if rows.dtype.kind == "f" else rows[:, 0])


def _is_numeric(array: np.ndarray[Any, Any]) -> bool:
    return array.dtype.kind in "fiub" and array.size > 0
