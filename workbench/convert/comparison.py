"""The source's answers to real samples, which whatever is made of it must give too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.convert.representative import spread
from workbench.evaluate.parity import parity
from workbench.evaluate.runtimes.base import open_runtime, predict_all, require_shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.convert.settings import ConvertSettings
    from workbench.core.artifact import Artifact
    from workbench.core.records import Parity
    from workbench.datasets import Dataset


class Comparison:
    """Evenly spaced samples of a test split, and of the training split where those are too few, answered once.

    Args:
        source: What is converted.
        data: Whose samples are taken.
        settings: How many samples, and the tolerance.

    Raises:
        BadInputError: The model does not take these samples.
    """

    def __init__(self, source: Artifact, data: Dataset, settings: ConvertSettings) -> None:
        self._data = data
        self._source = source.label
        self._tolerance = settings.tolerance
        self._samples = _samples(data, settings.parity_samples)
        self._answers = self._answered_by(source)

    def with_target(self, target: Artifact) -> Parity:
        """Answer the same samples in the target's own runtime, and compare.

        Raises:
            BadInputError: Its engine cannot open it.
            ParityError: It gives another shape.
        """
        return parity(
            self._answers, self._answered_by(target), source=self._source, target=target.label,
            tolerance=self._tolerance,
        )  # fmt: skip

    def _answered_by(self, artifact: Artifact) -> NDArray[np.float32]:
        with open_runtime(artifact) as runtime:
            require_shape(runtime, self._data.shape)
            return predict_all(runtime, self._samples.__getitem__, len(self._samples))


def _samples(data: Dataset, wanted: int) -> NDArray[np.float32]:
    test = data.floats("test", spread(data.test_size, wanted))
    missing = wanted - len(test)
    return np.concatenate([test, data.floats("train", spread(data.train_size, missing))]) if missing else test
