"""One window beside the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.core.records.monitor import ClassShare, DriftReport, DriftTest, FeatureDrift
from workbench.monitor.drift.distances import class_surprise, holm, ks_distances, ks_p_values
from workbench.monitor.drift.words import of_classes, of_confidence, of_embedding, of_input

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.core.records.monitor import Family
    from workbench.monitor.drift.reference import Reference
    from workbench.monitor.drift.settings import DriftSettings

    Array = np.ndarray[Any, Any]

_EDGES = np.linspace(0, 1, 11)
_LARGEST = float(np.finfo(np.float32).max)
_LEAST_ROWS = 20


class Window(NamedTuple):
    """Samples that came one after the other.

    Attributes:
        features: Sketches, shape (n, values); n may be 0 where requests hold none.
        predictions: Classes answered, shape (k,).
        confidence: Probability of each, shape (k,).
        begun: When the first was answered, seconds since 1970.
        ended: When the last was.
    """

    features: Array
    predictions: Array
    confidence: Array
    begun: float
    ended: float

    @property
    def samples(self) -> int:
        """How many there are."""
        return max(len(self.features), len(self.predictions))


class Comparison:
    """A reference made ready: sorted once, its principal components known."""

    def __init__(self, reference: Reference, settings: DriftSettings) -> None:
        """Prepare.

        Args:
            reference: What windows are compared with.
            settings: How.
        """
        self._reference = reference
        self._settings = settings
        features = _numbers(reference.features)
        self._means = features.mean(axis=0)
        self._features = np.sort(features, axis=0)
        # Those that the components were learnt from lie nearer to them than any others.
        learnt, others = features[::2], features[1::2]
        self._axes = _principal(learnt, settings.components)
        self._middle = learnt.mean(axis=0)
        self._embedding = np.sort(self._embedded(others), axis=0)
        self._confidence = np.sort(_numbers(reference.confidence)[:, None], axis=0)
        self._counts = np.bincount(reference.predictions, minlength=len(reference.classes))

    def of(self, window: Window, seconds: float) -> DriftReport:
        """Return what differs.

        Args:
            window: What came.
            seconds: The time whose part of the day's false alarms it may spend.
        """
        level = self._settings.level(seconds)
        features = self._feature_drift(window, level)
        classes = self._shares(window)
        tests = {
            "input": lambda: self._input(features, level),
            "embedding": lambda: self._embedding_test(window, level),
            "predictions": lambda: self._predictions(window, classes, level),
            "confidence": lambda: self._confidence_test(window, level),
        }
        found = [test for name in self._settings.families if (test := tests[name]()) is not None]
        return DriftReport(
            samples=window.samples,
            begun=window.begun,
            ended=window.ended,
            tests=tuple(found),
            features=features,
            shape=self._reference.shape if features else (),
            classes=classes,
            confidence_edges=tuple(_EDGES.tolist()),
            confidence_before=_histogram(self._reference.confidence),
            confidence_now=_histogram(window.confidence),
        )

    def _feature_drift(self, window: Window, level: float) -> tuple[FeatureDrift, ...]:
        if not len(window.features):
            return ()
        values = _numbers(window.features)
        distances = ks_distances(self._features, values)
        p_values = holm(self._p_values(distances, len(self._features), len(values)))
        means = values.mean(axis=0)
        return tuple(
            FeatureDrift(
                index=at,
                distance=float(distances[at]),
                p_value=float(p_values[at]),
                alarm=bool(p_values[at] <= level),
                before=float(self._means[at]),
                now=float(means[at]),
            )
            for at in range(len(distances))
        )

    def _input(self, features: tuple[FeatureDrift, ...], level: float) -> DriftTest | None:
        if not features:
            return None
        worst, surprise = max(each.distance for each in features), min(each.p_value for each in features)
        return _test("input", worst, surprise, level, lambda: of_input(features, self._reference.shape))

    def _embedding_test(self, window: Window, level: float) -> DriftTest | None:
        values = np.asarray(window.features, np.float64)
        values = values[np.isfinite(values).all(axis=1)]
        if len(values) < _LEAST_ROWS or len(self._embedding) < _LEAST_ROWS:
            return None
        embedded = self._embedded(values)
        distances = ks_distances(self._embedding, embedded)
        p_values = holm(self._p_values(distances, len(self._embedding), len(embedded)))
        left = float(np.median(self._embedding[:, -1])), float(np.median(embedded[:, -1]))

        def told() -> str:
            return of_embedding(np.flatnonzero(p_values <= level).tolist(), len(distances) - 1, *left)

        return _test("embedding", float(distances.max()), float(p_values.min()), level, told)

    def _predictions(self, window: Window, classes: tuple[ClassShare, ...], level: float) -> DriftTest | None:
        if not len(window.predictions) or not self._counts.sum():
            return None
        now = np.bincount(window.predictions, minlength=len(self._counts))
        before = np.pad(self._counts, (0, len(now) - len(self._counts)))
        statistic, surprise = class_surprise(before, now, self._settings.class_tolerance)
        return _test("predictions", statistic, surprise, level, lambda: of_classes(classes))

    def _confidence_test(self, window: Window, level: float) -> DriftTest | None:
        if not len(window.confidence) or not len(self._confidence):
            return None
        values = _numbers(window.confidence)[:, None]
        distances = ks_distances(self._confidence, values)
        surprise = float(self._p_values(distances, len(self._confidence), len(values))[0])
        before, now = float(np.median(self._confidence)), float(np.median(values))
        return _test("confidence", float(distances[0]), surprise, level, lambda: of_confidence(before, now))

    def _shares(self, window: Window) -> tuple[ClassShare, ...]:
        now = np.bincount(window.predictions, minlength=len(self._counts))
        labels = [*self._reference.classes, *map(str, range(len(self._counts), len(now)))]
        before = np.pad(self._counts, (0, len(now) - len(self._counts)))
        shares = before / max(before.sum(), 1), now / max(now.sum(), 1)
        return tuple(
            ClassShare(label=label, before=float(was), now=float(is_))
            for label, was, is_ in zip(labels, *shares, strict=True)
        )

    def _embedded(self, values: Array) -> Array:
        """Return principal components, and the length of what they leave over; shape (n, components + 1)."""
        centred = values - self._middle
        components = centred @ self._axes.T
        # By the theorem of Pythagoras, without the samples put together again.
        left = np.maximum((centred**2).sum(axis=1) - (components**2).sum(axis=1), 0)
        return np.column_stack([components, np.sqrt(left)])

    def _p_values(self, distances: Array, size: int, count: int) -> Array:
        return ks_p_values(distances, size, count, self._settings.tolerance)


def _test(family: Family, statistic: float, surprise: float, level: float, told: Callable[[], str]) -> DriftTest:
    alarm = surprise <= level
    return DriftTest(
        family=family, statistic=statistic, p_value=surprise, level=level, alarm=alarm, words=told() if alarm else ""
    )


def _principal(values: Array, components: int) -> Array:
    count = min(components, *values.shape)
    axes: Array = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)[2][:count]
    return axes


def _numbers(values: Array) -> Array:
    """Return float64 with what is no number as the largest there is, so that it counts as a difference."""
    return np.nan_to_num(np.asarray(values, np.float64), nan=_LARGEST, posinf=_LARGEST, neginf=-_LARGEST)


def _histogram(values: Array) -> tuple[float, ...]:
    finite = np.asarray(values, np.float64)
    finite = finite[np.isfinite(finite)]
    counts = np.histogram(finite.clip(0, 1), bins=_EDGES)[0]
    return tuple((counts / max(len(finite), 1)).tolist())
