"""What differs, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.core.records.monitor import ClassShare, FeatureDrift

_IMAGE = 2  # axes
_NAMED = 3
_MANY_TIMES = 1.5
_LARGE = 1e30


def of_input(features: Sequence[FeatureDrift], shape: tuple[int, ...]) -> str:
    """Say which values of the sketch differ, of an image where.

    Args:
        features: All of them.
        shape: Rows and columns of an image's sketch, else its length.
    """
    found = [each for each in features if each.alarm]
    if any(abs(each.now) >= _LARGE for each in found):
        return "Some samples hold values that are no finite numbers."
    if len(shape) == _IMAGE:
        return _of_image(found, shape)
    found.sort(key=lambda each: -each.distance)
    named = ", ".join(
        f"value {each.index} is {_way(each, 'higher', 'lower')} (mean {each.now:.3g}, was {each.before:.3g})"
        for each in found[:_NAMED]
    )
    more = f", and {len(found) - _NAMED} more differ" if len(found) > _NAMED else ""
    return f"{named[:1].upper()}{named[1:]}{more}."


def of_embedding(which: Sequence[int], left: int, before: float, now: float) -> str:
    """Say that samples as a whole differ.

    Args:
        which: The components that do.
        left: Number that stands for what components leave over.
        before: Its median in the reference.
        now: In the window.
    """
    if left in which:
        how = "further from" if now > before else "smoother than"
        return (
            f"Samples as a whole are {how} what the reference's {left} main patterns explain "
            f"(left over {now:.3g}, was {before:.3g})."
        )
    return f"Samples as a whole differ along {len(which)} of the reference's {left} main patterns."


def of_classes(classes: Sequence[ClassShare]) -> str:
    """Say which classes are answered more and less often.

    Args:
        classes: All of them.
    """
    changed = sorted(classes, key=lambda each: -abs(each.now - each.before))[:_NAMED]
    told = ", ".join(
        f"class {each.label} {_times(each)} ({each.now:.0%} of answers, was {each.before:.0%})" for each in changed
    )
    return f"{told[:1].upper()}{told[1:]}."


def of_confidence(before: float, now: float) -> str:
    """Say how sure the answers are, by the median of either."""
    if abs(now - before) < 0.005:  # noqa: PLR2004 - what two digits do not show
        return f"How sure the answers are is spread otherwise (median {now:.0%}, as before)."
    return f"Answers are {'less' if now < before else 'more'} sure (median {now:.0%}, was {before:.0%})."


def _of_image(found: Sequence[FeatureDrift], shape: tuple[int, ...]) -> str:
    total = int(np.prod(shape))
    parts = []
    for name, chosen in (
        ("darker", [each for each in found if each.now < each.before]),
        ("brighter", [each for each in found if each.now >= each.before]),
    ):
        if not chosen:
            continue
        now, before = (float(np.mean([getattr(each, side) for each in chosen])) for side in ("now", "before"))
        parts.append(f"{name} than the reference {_where(chosen, shape)} (mean {now:.2f}, was {before:.2f})")
    return f"The image is {' and '.join(parts)}; {len(found)} of {total} areas differ."


def _where(chosen: Sequence[FeatureDrift], shape: tuple[int, ...]) -> str:
    if len(chosen) > 0.8 * np.prod(shape):
        return "all over"
    rows, columns = np.divmod([each.index for each in chosen], shape[1])
    # Where most are; a single one at the edge would make it the whole image.
    return f"mainly in {_span('row', rows)}, {_span('column', columns)} of {shape[0]} x {shape[1]}"


def _span(name: str, places: np.ndarray[tuple[int], np.dtype[np.int64]]) -> str:
    low, high = (int(np.quantile(places, share, method="nearest")) for share in (0.1, 0.9))
    return f"{name} {low}" if low == high else f"{name}s {low}–{high}"


def _way(each: FeatureDrift, up: str, down: str) -> str:
    return up if each.now >= each.before else down


def _times(each: ClassShare) -> str:
    if not each.before:
        return "is new"
    ratio = each.now / each.before
    if not ratio:
        return "is gone"
    if ratio >= _MANY_TIMES:
        return f"is answered {ratio:.1f}x as often"
    return "is answered more often" if ratio > 1 else "is answered less often"
