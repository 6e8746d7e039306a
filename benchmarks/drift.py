"""Drift: false alarms in days where nothing drifts, at 10 requests a second, and requests until a drift is told.

A linear model of digits, and of MNIST where WORKBENCH_DATA is set, answers samples that it has not seen, drawn with
replacement. A day is 864,000 requests. A drift begins at every place of a window alike; what counts is the request by
which it is told. Splits and draws are new ones for each seed.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage
from sklearn.datasets import load_digits
from sklearn.linear_model import RidgeClassifier

from workbench.core.sketch import sketch, sketch_shape, top
from workbench.monitor.drift import DriftSettings, Reference
from workbench.monitor.drift.comparison import Comparison, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Array = np.ndarray[Any, Any]
    Parts = tuple[Array, Array, Array, Array, Array, Array]

SEEDS, STARTS = 4, 25
RATE, DAY = 10, 86_400
FALSE_ALARMS, REQUESTS, LONGEST = 1, 500, 2500
DRIFTS: dict[str, Callable[[Array, Array], Array]] = {
    "rotated by 30°": lambda x, _: ndimage.rotate(x, 30, axes=(1, 2), reshape=False, order=1),
    "blurred": lambda x, _: ndimage.gaussian_filter(x, (0, x.shape[1] / 14, x.shape[1] / 14, 0)),
    "inverted": lambda x, _: 1 - x,
    "classes 0–4 alone": lambda x, y: x[np.isin(y, range(5))],
    "class 1 six times as often": lambda x, y: np.concatenate([x, x[y == 1].repeat(5, axis=0)]),
}


def digits(rng: np.random.Generator) -> Parts:
    """Learnt from, held back, and never seen: samples and labels of each."""
    found = load_digits()
    x, y = (found.images / 16).astype(np.float32)[..., None], found.target
    a, b, c = np.split(rng.permutation(len(y)), [1294, 1438])
    return x[a], y[a], x[b], y[b], x[c], y[c]


def mnist(rng: np.random.Generator) -> Parts:
    """The same of MNIST, whose test split was written by other hands."""
    with np.load(Path(os.environ["WORKBENCH_DATA"]) / "mnist.npz") as found:
        x, y, x_test, y_test = (found[name] for name in ("x_train", "y_train", "x_test", "y_test"))
    a, b = np.split(rng.permutation(len(y))[:12_000], [10_000])
    scaled = (each.astype(np.float32)[..., None] / 255 for each in (x[a], x[b], x_test))
    learnt, held, rest = scaled
    return learnt, y[a], held, y[b], rest, y_test


class Stream:
    """A model, its reference, and samples that come by."""

    def __init__(self, parts: Parts, rng: np.random.Generator) -> None:
        x, y, x_held, _, self._x, self._y = parts
        self._rng = rng
        self._model = RidgeClassifier().fit(x.reshape(len(x), -1), y)
        said, (best, sure) = self._answers(x[:2000])[0], self._answers(x_held)
        reference = Reference(
            sketch(x[:2000]), np.concatenate([said, best]), sure, sketch_shape(x.shape[1:]), tuple("0123456789"), {}
        )
        self._settings = DriftSettings()
        self._comparison = Comparison(reference, self._settings)
        self._same = self._kept(self._x)

    def false_alarms(self) -> int:
        """Alarms of a day where nothing drifts."""
        return sum(alarm for _, alarm in self._alarms(self._drawn(self._same, RATE * DAY)))

    def told_by(self, drift: Callable[[Array, Array], Array]) -> list[int]:
        """Requests from where a drift begins until it is told, for starts all over a window."""
        drifted = self._kept(drift(self._x, self._y).astype(np.float32))
        found = []
        for quiet in np.linspace(1, self._settings.window, STARTS).astype(int):
            parts = self._drawn(self._same, self._settings.window + int(quiet)), self._drawn(drifted, LONGEST)
            begin = len(parts[0][0])
            stream = tuple(np.concatenate(each) for each in zip(*parts, strict=True))
            ends = (end for end, alarm in self._alarms(stream) if alarm and end > begin)
            found.append(next(ends, begin + LONGEST) - begin)
        return found

    def _alarms(self, stream: tuple[Array, ...]) -> Iterator[tuple[int, bool]]:
        """Yield where each window ends, and whether it is an alarm."""
        size, stride = self._settings.window, self._settings.stride
        for end in range(size, len(stream[0]) + 1, stride):
            features, predictions, confidence = (each[end - size : end] for each in stream)
            window = Window(features, predictions, confidence, 0, size / RATE)
            yield end, self._comparison.of(window, stride / RATE).alarm

    def _drawn(self, kept: tuple[Array, ...], count: int) -> tuple[Array, ...]:
        which = self._rng.integers(0, len(kept[0]), count)
        return tuple(values[which] for values in kept)

    def _kept(self, x: Array) -> tuple[Array, ...]:
        return sketch(x), *self._answers(x)

    def _answers(self, x: Array) -> tuple[Array, Array]:
        best, sure, _ = top(4 * self._model.decision_function(x.reshape(len(x), -1)))
        return best, sure


def row(figure: str, target: str, measured: str, met: bool | None) -> dict[str, Any]:  # noqa: FBT001 - a table's row
    return {"figure": figure, "target": target, "measured": measured, "met": met}


def measured(name: str, source: Callable[[np.random.Generator], Parts]) -> list[dict[str, Any]]:
    alarms: list[int] = []
    told: dict[str, list[int]] = {each: [] for each in DRIFTS}
    spent = 0.0
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        stream = Stream(source(rng), rng)
        began = time.process_time()
        alarms.append(stream.false_alarms())
        spent += time.process_time() - began
        for each, drift in DRIFTS.items():
            told[each] += stream.told_by(drift)
    windows = RATE * DAY // DriftSettings().stride
    spent *= 1e3 / (SEEDS * windows)
    rows = [
        row(
            f"drift: false alarms a day at 10 requests/s, {name}", f"≤ {FALSE_ALARMS}",
            f"{', '.join(map(str, alarms))} in {SEEDS} days of {windows:,} windows; {spent:.1f} ms CPU a window",
            max(alarms) <= FALSE_ALARMS,
        )
    ]  # fmt: skip
    for each, counts in told.items():
        rows.append(
            row(
                f"drift: requests until it is told, {name}, {each}", f"≤ {REQUESTS}",
                f"median {statistics.median(counts):.0f}, most {max(counts)} ({len(counts)} streams)",
                max(counts) <= REQUESTS,
            )
        )  # fmt: skip
    return rows


def main(output: Path) -> None:
    rows = measured("digits", digits)
    if os.environ.get("WORKBENCH_DATA"):
        rows += measured("MNIST", mnist)
    output.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    for each in rows:
        print(each["figure"], "|", each["measured"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
