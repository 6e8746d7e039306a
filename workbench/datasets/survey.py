"""Look at a prepared dataset: balance, repetitions, leaks; nothing is changed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.records.dataset import ClassBalance, DatasetSurvey, SplitFacts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.datasets.dataset import Dataset

_CHUNK = 512
_DIGEST_BYTES = 16


def survey(data: Dataset) -> DatasetSurvey:
    """Return what a dataset holds; reads all of it once, a chunk at a time.

    Args:
        data: A prepared dataset.
    """
    data = replace(data)  # a mapping of its own: what was read is let go of at the end
    count = len(data.classes)
    train, test = (np.bincount(labels, minlength=count) for labels in (data.y_train, data.y_test))
    train_names, train_facts = _split(data.x_train, constants=data.kind == "images")
    test_names, test_facts = _split(data.x_test, constants=data.kind == "images")
    shares = train / train.sum(), test / test.sum()
    return DatasetSurvey(
        name=data.name,
        checksum=data.checksum,
        balance=tuple(
            ClassBalance(label=label, train=int(train[i]), test=int(test[i]),
                         train_share=float(shares[0][i]), test_share=float(shares[1][i]))
            for i, label in enumerate(data.classes)
        ),
        train=train_facts,
        test=test_facts,
        leaked=int(np.isin(test_names, train_names).sum()),
        contradictory=_contradictory(train_names, data.labels("train")),
        shift=float(np.abs(shares[0] - shares[1]).max()),
        imbalance=float(train.max() / train.min()),
        rarest=int(test.min()),
    )  # fmt: skip


def _split(values: NDArray[Any], *, constants: bool) -> tuple[NDArray[np.bytes_], SplitFacts]:
    names, total, square, constant = [], 0.0, 0.0, 0
    low, high = np.inf, -np.inf
    for start in range(0, len(values), _CHUNK):
        part = np.ascontiguousarray(values[start : start + _CHUNK]).reshape(len(values[start : start + _CHUNK]), -1)
        names += [hashlib.blake2b(row.tobytes(), digest_size=_DIGEST_BYTES).hexdigest() for row in part]
        numbers = part.astype(np.float64)
        total += float(numbers.sum())
        square += float(np.square(numbers).sum())
        low, high = min(low, float(numbers.min())), max(high, float(numbers.max()))
        constant += int((numbers.min(axis=1) == numbers.max(axis=1)).sum()) if constants else 0
    mean = total / values.size
    found = np.array(names, dtype="S32")
    facts = SplitFacts(
        samples=len(values), mean=mean, deviation=float(np.sqrt(max(0.0, square / values.size - mean**2))),
        low=low, high=high, repeated=len(found) - len(np.unique(found)), constant=constant,
    )  # fmt: skip
    return found, facts


def _contradictory(names: NDArray[np.bytes_], labels: NDArray[np.int64]) -> int:
    _unique, place = np.unique(names, return_inverse=True)
    lowest, highest = np.full(len(_unique), np.iinfo(np.int64).max), np.full(len(_unique), -1)
    np.minimum.at(lowest, place, labels)
    np.maximum.at(highest, place, labels)
    return int((lowest != highest)[place].sum())
