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
_SECONDS = 6.0


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
        images: Test images a cell; None is as many as take about 6 seconds in all on an idle machine, 250 at least.
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
    parent = preview.parent.bits[:count]
    began = time.perf_counter()
    cells: list[SensitivityCell] = []
    for number, label, setting in plan:
        if cancelled():
            raise JobCancelledError(f"The scan was cancelled after {len(cells)} of {len(plan)} cells.")
        ours = preview.alone(number, setting, count)
        drop = paired_drop(parent, ours)
        cells.append(
            SensitivityCell(
                layer=names[number],
                setting=label,
                sparsity=setting.sparsity or None,
                weight_bits=setting.bits,
                accuracy=wilson(ours.count("1"), count),
                drop=drop.drop,
                drop_low=drop.low,
                drop_high=drop.high,
            )
        )
        if progress is not None:
            progress(len(cells), len(plan), f"{names[number]}: {label}")
    return Sensitivity(
        layers=names,
        settings=tuple(label for label, _ in settings),
        cells=tuple(cells),
        parent_accuracy=wilson(parent.count("1"), count),
        images=count,
        total=len(preview.parent.right),
        seconds=time.perf_counter() - began,
        unmapped=preview.map.unmapped,
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
    affordable = int(_SECONDS / max(1, cells) / max(preview.seconds_an_image, 1e-9))
    return min(total, max(FIRST, affordable // FIRST * FIRST))
