"""Which layer minds what: each alone at several sparsities and bit widths, without fine-tuning."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from workbench.compress.preview.growing_sample import FIRST
from workbench.compress.preview.perturb import LayerSetting
from workbench.core.checks import require_whole
from workbench.core.errors import BadInputError, JobCancelledError
from workbench.core.records.preview import Sensitivity, SensitivityCell
from workbench.evaluate.intervals import paired_drop, wilson

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workbench.compress.preview.slider import Preview

SPARSITIES = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95)
BITS = (8, 6, 4, 3, 2)
# What a scan is planned for, and where it goes on with fewer images because the machine has other things to do.
_SECONDS, _PATIENCE = 6.0, 10.0


def sensitivity(
    preview: Preview,
    *,
    sparsities: Sequence[float] = SPARSITIES,
    bits: Sequence[int] = BITS,
    images: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Sensitivity:
    """Change one kernel at a time and measure what that costs.

    Args:
        preview: An open slider of the model.
        sparsities: Shares of a kernel's weights to set to zero, each in (0, 1).
        bits: Bits a weight, each in 2…8.
        images: Test samples a cell; None is as many as take about 6 seconds in all, 250 at least.
        progress: Called with cells done, cells in all and what was measured.
        cancelled: Asked between two cells.

    Raises:
        BadInputError: A setting is out of its range, or there is none.
        JobCancelledError: It was cancelled.
    """
    if not hasattr(preview, "kernel_names"):
        raise BadInputError.of("preview", rule="must be an open preview", got=preview, hint="open it with open_preview")
    settings = _settings(sparsities, bits)
    plan = [
        (number, label, setting)
        for number, mapped in enumerate(preview.map.kernels)
        for label, setting in settings
        # What is never pruned has no cells of sparsity.
        if mapped.kernel.compressed or not setting.sparsity
    ]
    count = _images(preview, len(plan), images)
    names = preview.kernel_names
    began = time.perf_counter()
    answers: list[str] = []
    for number, label, setting in plan:
        if cancelled():
            raise JobCancelledError(f"The scan was cancelled after {len(answers)} of {len(plan)} cells.")
        answers.append(preview.alone(number, setting, count))
        if progress is not None:
            progress(len(answers), len(plan), f"{names[number]}: {label}")
        if images is None:
            count = _paced(count, answers, len(plan) - len(answers), time.perf_counter() - began)
    # All cells are about the same samples.
    count = min(map(len, answers))
    parent = preview.parent.bits[:count]
    cells = tuple(
        _cell(names[number], label, setting, parent, ours[:count])
        for (number, label, setting), ours in zip(plan, answers, strict=True)
    )
    return Sensitivity(
        layers=names,
        settings=tuple(label for label, _ in settings),
        cells=cells,
        parent_accuracy=wilson(parent.count("1"), count),
        images=count,
        total=len(preview.parent.right),
        seconds=time.perf_counter() - began,
        unmapped=preview.map.unmapped,
    )


def _cell(layer: str, label: str, setting: LayerSetting, parent: str, ours: str) -> SensitivityCell:
    drop = paired_drop(parent, ours)
    return SensitivityCell(
        layer=layer,
        setting=label,
        sparsity=setting.sparsity or None,
        weight_bits=setting.bits,
        accuracy=wilson(ours.count("1"), len(ours)),
        drop=drop.drop,
        drop_low=drop.low,
        drop_high=drop.high,
    )


def _settings(sparsities: Sequence[float], bits: Sequence[int]) -> list[tuple[str, LayerSetting]]:
    for name, values in (("sparsities", sparsities), ("bits", bits)):
        if not hasattr(values, "__iter__"):
            raise BadInputError.of(name, rule="must be a list of numbers", got=values)
    for share in sparsities:
        if not isinstance(share, (int, float, np.number)) or not 0 < share < 1:
            raise BadInputError.of("sparsities", rule="must be between 0 and 1", got=share)
    for width in bits:
        require_whole("bits", width, least=2, most=8)  # as the slider has it
    found = [(f"{share:.4g} zeros", LayerSetting(sparsity=share)) for share in sorted(set(sparsities))]
    found += [(f"{width} bits", LayerSetting(bits=width)) for width in sorted(set(bits), reverse=True)]
    if not found:
        raise BadInputError.of("sparsities", rule="must hold a setting, or bits must", got=())
    return found


def _images(preview: Preview, cells: int, asked: int | None) -> int:
    total = len(preview.parent.right)
    if asked is not None:
        return min(require_whole("images", asked, least=1), total)
    return min(total, _affordable(_SECONDS, cells, preview.seconds_an_image))


def _paced(count: int, answers: Sequence[str], left: int, seconds: float) -> int:
    """Return how many samples the cells that are left can have; how fast a machine answers is known while it does."""
    if not left:
        return count
    return min(count, _affordable(_PATIENCE - seconds, left, seconds / sum(map(len, answers))))


def _affordable(seconds: float, cells: int, seconds_a_sample: float) -> int:
    return max(FIRST, int(seconds / max(1, cells) / max(seconds_a_sample, 1e-9)) // FIRST * FIRST)
