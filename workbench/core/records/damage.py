"""Who paid for a smaller model: which classes, which samples, which layers."""

from __future__ import annotations

from pydantic import Field

from workbench.core.records.base import Record


class ClassChange(Record):
    """How one class fared.

    Attributes:
        label: The class.
        support: Its samples.
        recall_before: Share of them that the parent gets right.
        recall_after: The same of the variant.
        drop: The difference, in [−1, 1].
        drop_low: Lower end of its paired 95 % interval.
        drop_high: Upper end.
        lost: Samples that only the parent gets right.
        gained: Samples that only the variant gets right.
    """

    label: str
    support: int
    recall_before: float
    recall_after: float
    drop: float
    drop_low: float
    drop_high: float
    lost: int
    gained: int


class Flip(Record):
    """A sample that the parent gets right and the variant does not.

    Attributes:
        index: Its place in the split.
        label: Its true class.
        parent_confidence: The parent's probability of the true class.
        variant_label: What the variant takes it for.
        variant_confidence: The variant's probability of that.
        confidence_lost: By how much the true class' probability fell.
        thumbnail: PNG, base64; empty where the samples are no images.
        row: Its values by column where the samples are rows of a table; empty where they are not.
    """

    index: int
    label: str
    parent_confidence: float
    variant_label: str
    variant_confidence: float
    confidence_lost: float
    thumbnail: str
    row: dict[str, float | bool | str | None] = Field(default_factory=dict)


class LayerError(Record):
    """How far one layer's outputs are from the parent's on the same samples.

    Attributes:
        layer: Its name in the parent.
        operator: What it is, e.g. `Conv`.
        mse: Mean squared error of its outputs.
        snr_db: Power of the parent's outputs over that of the error, in decibels; None where there is no error.
        cosine: Cosine of the angle between both outputs, 1 where they point the same way.
    """

    layer: str
    operator: str
    mse: float
    snr_db: float | None
    cosine: float


class Damage(Record):
    """What a variant lost against its parent on one split.

    Attributes:
        parent: sha256 of the parent.
        variant: sha256 of the variant.
        dataset: Name of the dataset.
        split: `test` or `train`.
        samples: How many were answered.
        drop: The parent's accuracy minus the variant's.
        drop_low: Lower end of its paired 95 % interval.
        drop_high: Upper end.
        p_value: McNemar's exact test of "both are equally often right".
        classes: In label order.
        flips: The worst, by confidence lost in the true class.
        flipped: How many flips there are in all.
        repaired: Samples that only the variant gets right.
        confidence_lost: Mean fall of the true class' probability over all samples.
        layers: In the graph's order; empty where outputs of layers cannot be seen.
        layer_samples: How many samples the layers were compared on.
        unmatched: What could not be compared layer by layer, and why.
    """

    parent: str
    variant: str
    dataset: str
    split: str
    samples: int
    drop: float
    drop_low: float
    drop_high: float
    p_value: float
    classes: tuple[ClassChange, ...]
    flips: tuple[Flip, ...]
    flipped: int
    repaired: int
    confidence_lost: float
    layers: tuple[LayerError, ...]
    layer_samples: int
    unmatched: tuple[str, ...]

    def __repr__(self) -> str:
        return (
            f"Damage(drop={self.drop:.4f} [{self.drop_low:.4f}, {self.drop_high:.4f}] on {self.samples} {self.split} "
            f"samples of {self.dataset}, {self.flipped} flipped, {self.repaired} repaired)"
        )

    __str__ = __repr__
