"""What a dataset holds, seen before anything is trained on it."""

from __future__ import annotations

from workbench.core.records.base import Record


class ClassBalance(Record):
    """How often one class is there; the shares are of the split, in [0, 1]."""

    label: str
    train: int
    test: int
    train_share: float
    test_share: float


class SplitFacts(Record):
    """One split in figures.

    Attributes:
        samples: How many.
        mean: Of all stored values: grey levels, or numbers as they are learnt from.
        deviation: Their standard deviation.
        low: The smallest.
        high: The largest.
        repeated: Samples that are equal to an earlier one of the split.
        constant: Samples all of whose values are equal; of tables none are counted.
    """

    samples: int
    mean: float
    deviation: float
    low: float
    high: float
    repeated: int
    constant: int


class DatasetSurvey(Record):
    """Both splits of a dataset, and what connects them.

    Attributes:
        name: Of the dataset.
        checksum: Of the dataset.
        balance: A line a class, in label order.
        train: The training split.
        test: The test split.
        leaked: Test samples that are equal to a training sample.
        contradictory: Training samples that are equal to one of another class.
        shift: Largest difference of a class's share between the splits, in [0, 1].
        imbalance: Training samples of the largest class over those of the smallest.
        rarest: Test samples of the class that has the fewest.
    """

    name: str
    checksum: str
    balance: tuple[ClassBalance, ...]
    train: SplitFacts
    test: SplitFacts
    leaked: int
    contradictory: int
    shift: float
    imbalance: float
    rarest: int
