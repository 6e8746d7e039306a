"""Samples that a model got wrong and a person kept."""

from __future__ import annotations

from workbench.core.records.base import Record


class HardSample(Record):
    """One sample of a hard set.

    Attributes:
        id: Content address of the sample, without its label.
        number: Counts up as samples are added.
        label: The right class, from 0.
        source: Where it came from, e.g. `drawn` or `mislabelled`.
        held: It is kept for measuring; the others are trained on.
        shape: Of the sample: (H, W, C) of an image, (features,) of a table's row.
        added: UTC time, ISO 8601.
    """

    id: str
    number: int
    label: int
    source: str
    held: bool
    shape: tuple[int, ...]
    added: str
