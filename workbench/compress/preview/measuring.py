"""Bytes and answers of one candidate, worked out side by side in a few threads."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workbench.compress.preview.candidate import labels_of
from workbench.core.artifact import gzip_length
from workbench.core.records import Sizes
from workbench.core.records.preview import PreviewAnswer
from workbench.evaluate.intervals import mcnemar, paired_drop, wilson

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future, ThreadPoolExecutor

    from numpy.typing import NDArray

    from workbench.compress.preview.candidate import Answering, Candidate
    from workbench.compress.preview.growing_sample import GrowingSample
    from workbench.compress.preview.settings import PreviewSettings
    from workbench.compress.preview.stored import Stored
    from workbench.compress.preview.weight_map import WeightMap

    Right = NDArray[np.bool_]

# Small enough for the caches, for sharing 250 images evenly, and for a newer setting to wait a few milliseconds only.
BATCH = 50
BITS = (
    "{bits}-bit weights, stored as {kind} with a scale an output channel; weights only: what flows between the layers "
    "stays float32"
)
NO_BITS = "float32 weights"


@dataclass(frozen=True)
class Answered:
    """Which images were answered rightly; (samples,) in the sample's order."""

    right: Right

    @cached_property
    def bits(self) -> str:
        """A "1" for each right answer and a "0" for each wrong one, as paired comparisons read them."""
        return (self.right.astype(np.uint8) + ord("0")).tobytes().decode()


class Measuring:
    """The work for one setting; tasks run in the order in which they were asked for."""

    def __init__(self, pool: ThreadPoolExecutor, sample: GrowingSample, stop: Callable[[], bool]) -> None:
        self._pool = pool
        self._sample = sample
        self._outdated = stop
        self._stopped = False
        self._engine: list[float] = []

    @property
    def stopped(self) -> bool:
        """Whether nobody wants to know any more."""
        return self._stopped or self._outdated()

    @property
    def engine_seconds(self) -> float:
        """Seconds inside onnxruntime so far, added over the threads."""
        return sum(self._engine)

    def stop(self) -> None:
        """Let the tasks that wait end at once."""
        self._stopped = True

    def sizes(self, stored: Stored, packed: Callable[[Stored, Callable[[], int]], int]) -> PendingSizes:
        """Begin to measure a file's bytes.

        Args:
            stored: The file.
            packed: Returns its packed length, given what returns its gzip'd one.
        """
        data = stored.data
        gzipped = self._pool.submit(lambda: None if self.stopped else gzip_length(data))
        # It was asked for first and so is at work or done when its result is waited for.
        known = lambda: gzipped.result() or 2 * len(data)  # noqa: E731
        return PendingSizes(
            len(data), gzipped, self._pool.submit(lambda: None if self.stopped else packed(stored, known))
        )

    def parts(self, answering: Answering, stops: list[int]) -> list[Part]:
        """Begin to answer the images up to each stop."""
        found: list[Part] = []
        batches: list[Future[Right | None]] = []
        start = 0
        for stop in stops:
            edges = [*range(start, stop, BATCH), stop]
            batches = [
                *batches,
                *(self._pool.submit(self._batch, answering, a, b) for a, b in pairwise(edges)),
            ]
            found.append(Part(batches))
            start = stop
        return found

    def _batch(self, answering: Answering, start: int, stop: int) -> Right | None:
        if self.stopped:
            return None
        images = self._sample.images(start, stop)
        began = time.perf_counter()
        outputs = answering.outputs(images)
        self._engine.append(time.perf_counter() - began)
        return np.asarray(labels_of(outputs) == self._sample.labels[start:stop])


class PendingSizes(NamedTuple):
    """Bytes that are being measured."""

    raw: int
    gzip: Future[int | None]
    packed: Future[int | None]

    def known(self) -> Sizes | None:
        """Wait for them; None where it was stopped."""
        gzip, packed = self.gzip.result(), self.packed.result()
        return None if packed is None or gzip is None else Sizes(raw=self.raw, gzip=gzip, packed=packed)


class Part(NamedTuple):
    """The first images of the sample, being answered."""

    batches: list[Future[Right | None]]

    def right(self) -> Right | None:
        """Wait and say which were answered rightly; None where it was stopped."""
        found = [batch.result() for batch in self.batches]
        known = [each for each in found if each is not None]
        return np.concatenate(known) if len(known) == len(found) else None


def answered(
    settings: PreviewSettings,
    candidate: Candidate,
    right: Right,
    sizes: Sizes,
    parent: Answered,
    mapped: WeightMap,
    *,
    seconds: float,
    engine_seconds: float,
) -> PreviewAnswer:
    """Return the record of one answer."""
    images = len(right)
    theirs, ours = parent.bits[:images], Answered(right).bits
    drop = paired_drop(theirs, ours)
    bits = settings.weight_bits
    return PreviewAnswer(
        settings=settings.model_dump(mode="json"),
        images=images,
        total=len(parent.right),
        accuracy=wilson(ours.count("1"), images),
        parent_accuracy=wilson(theirs.count("1"), images),
        drop=drop.drop,
        drop_low=drop.low,
        drop_high=drop.high,
        p_value=mcnemar(theirs, ours),
        sizes=sizes,
        zeros=candidate.zeros,
        bits=NO_BITS if bits is None else BITS.format(bits=bits, kind=candidate.kind),
        seconds=seconds,
        engine_seconds=engine_seconds,
        unmapped=mapped.unmapped,
        left_alone={
            each.kernel.weight: f"TensorFlow Model Optimization neither prunes nor clusters it ({each.kernel.kind})"
            for each in mapped.kernels
            if not each.kernel.compressed
        },
    )
