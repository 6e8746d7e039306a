"""Tables that ship inside scikit-learn: offline, 569 rows at the most."""

from __future__ import annotations

import numpy as np

from workbench.core.errors import MissingExtraError
from workbench.datasets.base import RawData
from workbench.datasets.splits import stratified

_TEST_SHARE = 0.2


def sklearn_table(name: str, note: str) -> RawData:
    """Read `sklearn.datasets.load_<name>` and hold a fixed fifth of each class back.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    try:
        from sklearn import datasets
    except ImportError as error:
        raise MissingExtraError.of(f"The dataset {name}", "scikit-learn", "train") from error
    data = getattr(datasets, f"load_{name}")()
    labels = np.asarray(data.target, dtype=np.int64)
    rest, held = stratified(labels, _TEST_SHARE)
    return RawData(
        data.data[rest], labels[rest], data.data[held], labels[held],
        classes=tuple(map(str, data.target_names)), note=note, kind="table", names=tuple(map(str, data.feature_names)),
    )  # fmt: skip
