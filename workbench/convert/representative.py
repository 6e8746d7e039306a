"""The training samples that ranges are measured on: which ones, and what of the training data they cover."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import BadInputError
from workbench.evaluate.runtimes.base import hint_on_shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from workbench.convert.settings import ConvertSettings
    from workbench.datasets import Dataset

_BATCH = 64
# Percentiles of a whole training split would cost more than the conversion.
_MOST_LOOKED_AT = 4096
_PERCENTILES = (1, 99)
_WHOLE_RANGE = 0.999


@dataclass(frozen=True)
class Representative:
    """Samples of a training split.

    Attributes:
        data: The dataset.
        indices: Which of its training samples, ascending.
        picker: How they were picked.
    """

    data: Dataset
    indices: NDArray[np.int64]
    picker: str = "spread"

    @classmethod
    def pick(cls, data: Dataset, settings: ConvertSettings) -> Representative:
        """Pick as many samples as the settings ask for, or all where there are fewer."""
        wanted = min(settings.representative_samples, data.train_size)
        match settings.picker:
            case "random":
                generator = np.random.default_rng(settings.seed)
                indices = np.sort(generator.choice(data.train_size, wanted, replace=False))
            case "stratified":
                indices = _stratified(data.labels("train"), wanted)
            case _:
                indices = spread(data.train_size, wanted)
        return cls(data, indices, settings.picker)

    def batches(self, size: int = _BATCH) -> Iterator[NDArray[np.float32]]:
        """Give the samples, at most `size` at once: (samples, …) float32.

        Raises:
            BadInputError: One holds something that is no number.
        """
        for start in range(0, len(self.indices), size):
            batch = self.data.floats("train", self.indices[start : start + size])
            finite = np.isfinite(batch).reshape(len(batch), -1).all(axis=1)
            if not finite.all():
                number = int(self.indices[start + int(np.argmin(finite))])
                raise BadInputError.of(
                    "representative", rule="must hold finite numbers only", got=f"sample {number} of {self.data.name}",
                    hint="take another dataset",
                )  # fmt: skip
            yield batch

    def require_shape(self, shape: tuple[int, ...]) -> None:
        """Refuse samples that the model does not take.

        Args:
            shape: Of one sample, −1 where an axis is free.

        Raises:
            BadInputError: Theirs is another one.
        """
        ours = self.data.shape
        if len(ours) != len(shape) or any(want not in (-1, got) for want, got in zip(shape, ours, strict=True)):
            raise BadInputError.of(
                "representative", rule=f"must have samples of the model's shape {shape}",
                got=f"{self.data.name} with {ours}", hint=hint_on_shape(ours, shape),
            )  # fmt: skip

    def coverage(self) -> dict[str, Any]:
        """Say what of the training split these samples cover: classes, and the range of the inputs."""
        picked, whole = _Range.of(self.data, self.indices), _Range.of(self.data, None)
        labels = set(self.data.labels("train", self.indices).tolist())
        width = whole.high - whole.low
        shared = min(picked.high, whole.high) - max(picked.low, whole.low)
        return {
            "samples": len(self.indices),
            "picker": self.picker,
            "classes": len(labels),
            "missing_classes": [name for label, name in enumerate(self.data.classes) if label not in labels],
            "range": picked.to_json(),
            "range_of_all": whole.to_json(),
            "range_covered": shared / width if width > 0 else 1.0,
        }


def notes_on(coverage: dict[str, Any]) -> list[str]:
    """Say in plain sentences what a coverage lacks."""
    said = []
    if missing := coverage["missing_classes"]:
        said.append(
            f"The {coverage['samples']} representative samples hold none of class {', '.join(missing)}: its ranges "
            "are guessed; take more samples or picker='stratified'."
        )
    if coverage["range_covered"] < _WHOLE_RANGE:
        some, every = coverage["range"], coverage["range_of_all"]
        said.append(
            f"The representative samples cover {coverage['range_covered']:.0%} of the training inputs' range "
            f"({some['low']:g} to {some['high']:g} of {every['low']:g} to {every['high']:g}): what lies outside is "
            "cut off; take more samples."
        )
    return said


def spread(total: int, wanted: int) -> NDArray[np.int64]:
    """Return indices of at most `wanted` samples, evenly spaced over all."""
    return np.unique(np.linspace(0, total - 1, min(wanted, total)).round().astype(np.int64))


def _stratified(labels: NDArray[np.int64], wanted: int) -> NDArray[np.int64]:
    """Take as many of each class, evenly spaced over its members; what does not divide goes to the first classes."""
    found = np.unique(labels)
    each, more = divmod(wanted, len(found))
    picked = []
    for number, label in enumerate(found):
        members = np.flatnonzero(labels == label)
        count = each + (number < more)
        picked.append(members[spread(len(members), count)] if count else members[:0])
    return np.sort(np.concatenate(picked))


@dataclass(frozen=True)
class _Range:
    low: float
    high: float
    percentile_low: float
    percentile_high: float

    @classmethod
    def of(cls, data: Dataset, indices: NDArray[np.int64] | None) -> _Range:
        """Measure the inputs of some samples, or of all of them; percentiles on few thousand evenly spaced ones."""
        stored = data.x_train if indices is None else data.x_train[indices]
        scale = 255.0 if stored.dtype == np.uint8 else 1.0
        looked_at = stored[spread(len(stored), _MOST_LOOKED_AT)]
        low, high = np.percentile(looked_at, _PERCENTILES)
        return cls(float(stored.min()) / scale, float(stored.max()) / scale, float(low) / scale, float(high) / scale)

    def to_json(self) -> dict[str, float]:
        first, last = _PERCENTILES
        return {
            "low": self.low, "high": self.high, f"p{first}": self.percentile_low, f"p{last}": self.percentile_high,
        }  # fmt: skip
