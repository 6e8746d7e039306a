"""What a change of weights costs, measured without fine-tuning."""

from __future__ import annotations

from typing import Any

from workbench.core.records.base import Record
from workbench.core.records.evaluation import Proportion  # noqa: TC001 - pydantic reads it
from workbench.core.records.files import Sizes  # noqa: TC001


class PreviewAnswer(Record):
    """One answer of the live slider.

    Attributes:
        settings: The `PreviewSettings` that it answers, as plain values: `PreviewSettings(**answer.settings)`.
        images: How many test samples were answered.
        total: How many there are.
        accuracy: Share of right labels on them, with its Wilson interval.
        parent_accuracy: The parent's on the same images.
        drop: The parent's accuracy minus this one's, in [−1, 1].
        drop_low: Lower end of the paired 95 % interval of the drop.
        drop_high: Upper end.
        p_value: McNemar's exact test of "both are equally often right".
        sizes: Exact bytes of the ONNX file with these weights: float32 ones, or with bits a weight whole numbers with
            a scale an output channel, int8 or up to four bits int4.
        zeros: Share of zeros among the weights of all mapped kernels.
        bits: What the bits are about, in words.
        seconds: From the call to this answer.
        engine_seconds: Part of it inside onnxruntime's `run`, added over all threads.
        unmapped: Why a weight was left as it is although the settings mean it, by its name.
        left_alone: Why a weight is neither pruned nor clustered, as in real compression, by its name.
    """

    settings: dict[str, Any]
    images: int
    total: int
    accuracy: Proportion
    parent_accuracy: Proportion
    drop: float
    drop_low: float
    drop_high: float
    p_value: float
    sizes: Sizes
    zeros: float
    bits: str
    seconds: float
    engine_seconds: float
    unmapped: dict[str, str]
    left_alone: dict[str, str]

    @property
    def measured_on(self) -> str:
        """How many images it was measured on, in words."""
        if self.images == self.total:
            return f"measured on all {self.total:,} test samples"
        return f"measured on {self.images:,} of {self.total:,} test samples"

    @property
    def final(self) -> bool:
        """Whether all test samples were answered."""
        return self.images == self.total

    def __repr__(self) -> str:
        share = self.accuracy
        return (
            f"PreviewAnswer(accuracy={share.value:.4f} [{share.low:.4f}, {share.high:.4f}], drop={self.drop:.4f} "
            f"[{self.drop_low:.4f}, {self.drop_high:.4f}], {self.sizes.gzip} bytes gzip'd, {self.measured_on})"
        )

    __str__ = __repr__


class EstimatedAccuracy(Record):
    """An accuracy read between measured points.

    Attributes:
        at: Where it was asked for.
        accuracy: The estimate; None where it would be an extrapolation.
        low: Lower end, between the points' own intervals; None where they have none.
        high: Upper end.
        points: How many measured points it rests on.
        text: What it is, or why there is none.
    """

    at: float
    accuracy: float | None
    low: float | None
    high: float | None
    points: int
    text: str


class SensitivityCell(Record):
    """One layer alone under one setting; `drop` is the parent's accuracy minus this one's on the same images."""

    layer: str
    setting: str
    sparsity: float | None
    weight_bits: int | None
    accuracy: Proportion
    drop: float
    drop_low: float
    drop_high: float


class Sensitivity(Record):
    """How much each layer by itself stands.

    Attributes:
        layers: Names, in the model's order.
        settings: What was done to a layer, e.g. `50 % zeros` or `4 bits`.
        cells: Row by row; a layer that is never pruned has no cells of sparsity.
        parent_accuracy: On the same images.
        images: How many test samples each cell was measured on.
        total: How many there are.
        seconds: How long it took.
        unmapped: Why a weight was not looked at, by its name.
    """

    layers: tuple[str, ...]
    settings: tuple[str, ...]
    cells: tuple[SensitivityCell, ...]
    parent_accuracy: Proportion
    images: int
    total: int
    seconds: float
    unmapped: dict[str, str]

    def cell(self, layer: str, setting: str) -> SensitivityCell | None:
        """Return one cell; None where it was not measured."""
        return next((each for each in self.cells if (each.layer, each.setting) == (layer, setting)), None)
