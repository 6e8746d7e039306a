"""Gathers requests into windows and compares each that is full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.monitor.drift.comparison import Comparison, Window
from workbench.monitor.drift.settings import DriftSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from workbench.core.records import LoggedRequest
    from workbench.core.records.monitor import DriftReport
    from workbench.monitor.drift.reference import Reference

    Array = np.ndarray[Any, Any]

_DEFAULT = DriftSettings()


class DriftDetector:
    """A window is full of the last samples; the next one is compared when some of it are new."""

    def __init__(self, reference: Reference, settings: DriftSettings = _DEFAULT) -> None:
        """Prepare.

        Args:
            reference: What windows are compared with.
            settings: How.
        """
        self.settings = settings
        self._comparison = Comparison(reference, settings)
        self._width = reference.features.shape[1]
        self._waiting: list[_Piece] = []
        self._size = 0
        self._new = 0
        self._last_end: float | None = None

    @property
    def waiting(self) -> int:
        """Samples that were not compared yet."""
        return self._new

    def observe(self, requests: Iterable[LoggedRequest]) -> tuple[DriftReport, ...]:
        """Take requests in and return what the windows say that they completed.

        Refused requests, and samples of another shape than the reference's, are passed over.

        Args:
            requests: In the order of their answers.
        """
        return tuple(self._reports(requests))

    def due(self, now: float) -> DriftReport | None:
        """Return what a window says that is overdue, though not full.

        Args:
            now: Seconds since 1970.
        """
        if not self._new or self._size < self.settings.least or now - self._since() < self.settings.window_seconds:
            return None
        report = self._compare()
        self.reset()
        return report

    def reset(self) -> None:
        """Forget what waits, e.g. since another version answers."""
        self._waiting, self._size, self._new = [], 0, 0

    def _reports(self, requests: Iterable[LoggedRequest]) -> Iterator[DriftReport]:
        for request in requests:
            if (piece := self._piece(request)) is None:
                continue
            if (overdue := self.due(piece.time)) is not None:
                yield overdue
            while piece is not None:
                room = self.settings.window - self._size
                part, piece = piece.cut(room)
                self._waiting.append(part)
                self._size += part.samples
                self._new += part.samples
                if self._size < self.settings.window:
                    continue
                if self._is_early(request.time):
                    self._keep(self.settings.kept)
                else:
                    yield self._compare()

    def _piece(self, request: LoggedRequest) -> _Piece | None:
        if request.code != "OK":
            return None
        features = request.sketches() if request.features else np.zeros((0, 0), np.float32)
        if features.shape[1] != self._width:
            features = np.zeros((0, self._width), np.float32)
        predictions = np.array([each for each in request.predictions if each >= 0], np.int64)
        confidence = np.array(request.confidence, np.float32)
        if not len(features) and not len(predictions):
            return None
        return _Piece(features, predictions, confidence, request.time)

    def _is_early(self, now: float) -> bool:
        return self._last_end is not None and 0 <= now - self._last_end < self.settings.min_seconds

    def _since(self) -> float:
        """Return when the last comparison was, or the first sample came."""
        first = self._waiting[0].time
        return first if self._last_end is None else max(first, self._last_end)

    def _compare(self) -> DriftReport:
        waiting = self._waiting
        begun, ended = waiting[0].time, waiting[-1].time
        last, self._last_end = self._last_end, ended
        window = Window(
            features=np.concatenate([each.features for each in waiting]),
            predictions=np.concatenate([each.predictions for each in waiting]),
            confidence=np.concatenate([each.confidence for each in waiting]),
            begun=begun,
            ended=ended,
        )
        self._keep(self.settings.kept)
        # From the end of the one before, so that all windows of a day spend the day's budget and no more.
        return self._comparison.of(window, ended - (begun if last is None else last))

    def _keep(self, count: int) -> None:
        """Forget all but the last samples."""
        self._size, self._new, kept = 0, 0, []
        while self._waiting and self._size < count:
            piece = self._waiting.pop().last(count - self._size)
            kept.append(piece)
            self._size += piece.samples
        self._waiting = kept[::-1]


class _Piece:
    """Samples of one request."""

    __slots__ = ("confidence", "features", "predictions", "time")

    def __init__(self, features: Array, predictions: Array, confidence: Array, time: float) -> None:
        self.features = features
        self.predictions = predictions
        self.confidence = confidence
        self.time = time

    @property
    def samples(self) -> int:
        return max(len(self.features), len(self.predictions))

    def cut(self, room: int) -> tuple[_Piece, _Piece | None]:
        """Return what there is room for, and the rest."""
        if self.samples <= room:
            return self, None
        return self._slice(slice(room)), self._slice(slice(room, None))

    def last(self, count: int) -> _Piece:
        """Return so many of the last samples at most."""
        return self._slice(slice(max(self.samples - count, 0), None))

    def _slice(self, which: slice) -> _Piece:
        return _Piece(self.features[which], self.predictions[which], self.confidence[which], self.time)
