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

    def text(self, *, most: int = 10) -> str:
        """Return all of it for a terminal: the drop, then classes, flips and layers, the worst first.

        Args:
            most: Lines of each kind.
        """
        drop = (
            f"The drop is {_points(self)} on {self.samples:,} {self.split} samples of {self.dataset} (McNemar's p "
            f"{self.p_value:.3g}): {self.flipped} flipped, {self.repaired} repaired; the true class lost "
            f"{self.confidence_lost:.4f} of confidence on average."
        )
        lines = [drop]
        classes = sorted(self.classes, key=lambda each: -each.drop)
        lines += _listed("Classes by drop of recall", [_class_line(each) for each in classes], most)
        lines += _listed(f"Flips, the worst of {self.flipped}", [_flip_line(each) for each in self.flips], most)
        layers = sorted(self.layers, key=lambda each: float("inf") if each.snr_db is None else each.snr_db)
        title = f"Layers by signal over error, on {self.layer_samples} samples"
        lines += _listed(title, [_layer_line(each) for each in layers], most)
        return "\n".join([*lines, *(f"- not compared: {each}" for each in self.unmatched)])

    def __str__(self) -> str:
        return self.text()


def _listed(title: str, lines: list[str], most: int) -> list[str]:
    if not lines:
        return []
    left = len(lines) - most
    return [f"{title}:", *(f"  {line}" for line in lines[:most]), *([f"  … and {left} more"] if left > 0 else [])]


def _points(change: ClassChange | Damage) -> str:
    """Return a drop with its interval in percentage points."""
    drop, low, high = (100 * value for value in (change.drop, change.drop_low, change.drop_high))
    return f"{drop:.2f} points [{low:.2f}, {high:.2f}]"


def _class_line(change: ClassChange) -> str:
    return (
        f"{change.label}: {_points(change)}, recall {change.recall_before:.4f} -> {change.recall_after:.4f} of "
        f"{change.support:,} ({change.lost} lost, {change.gained} gained)"
    )


def _flip_line(flip: Flip) -> str:
    return (
        f"number {flip.index}: {flip.label} ({flip.parent_confidence:.2f}) taken for {flip.variant_label} "
        f"({flip.variant_confidence:.2f})"
    )


def _layer_line(layer: LayerError) -> str:
    ratio = "no error" if layer.snr_db is None else f"{layer.snr_db:.1f} dB"
    return f"{layer.layer} ({layer.operator}): {ratio}, cosine {layer.cosine:.4f}"
