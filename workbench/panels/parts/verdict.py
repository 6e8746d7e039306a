"""What several models say together of one drawing."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from workbench.core.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from workbench.panels.parts.contestants import Answer

_PLANE = 2  # axes of an image without channels
_DIGITS = 3


def best(answer: Answer) -> int:
    """Return the class that an answer is surest of."""
    return max(range(len(answer.shares)), key=answer.shares.__getitem__)


def verdict(answers: Mapping[str, Answer], classes: Sequence[str]) -> tuple[str, str, frozenset[str]]:
    """Return a sentence, its tone, and who differs from what most say."""
    if not answers:
        return _("Draw, and each model says what it sees."), "quiet", frozenset()
    said = {name: best(answer) for name, answer in answers.items()}
    most, count = Counter(said.values()).most_common(1)[0]
    label = called(most, classes)
    if len(said) == 1:
        return _("{name} says {label}.").format(name=next(iter(said)), label=label), "quiet", frozenset()
    if count == len(said):
        return _("All {count} say {label}.").format(count=count, label=label), "good", frozenset()
    others = {name: at for name, at in said.items() if at != most}
    told = "; ".join(
        _("{name} says {label}").format(name=name, label=called(at, classes)) for name, at in others.items()
    )
    sentence = _("They disagree: {count} of {total} say {label}; {others}.")
    text = sentence.format(count=count, total=len(said), label=label, others=told)
    return text, "warn", frozenset(others)


def called(number: int, classes: Sequence[str]) -> str:
    """Return a class's name, its number where it has none."""
    return classes[number] if number < len(classes) else str(number)


def card(
    name: str, detail: str, *, answer: Answer | None = None, stroke: int = 0, differs: bool = False, note: str = ""
) -> dict[str, Any]:
    """Return what a card shows."""
    shown: dict[str, Any] = {"name": name, "detail": detail}
    if note:
        return shown | {"note": note}
    if answer is None:
        return shown
    return shown | {
        "shares": [round(share, 4) for share in answer.shares],
        "time": _("{ms} ms").format(ms=f"{answer.milliseconds:.1f}"),
        "differs": differs,
        "stroke": stroke,
    }


def picture(seen: NDArray[np.float32]) -> dict[str, Any]:
    """Return what a model sees, as `PixelImages` shows it: the first of its channels, which are alike."""
    plane = seen if seen.ndim == _PLANE else seen[..., 0] if seen.shape[-1] < seen.shape[0] else seen[0]
    rows = plane.astype(float).round(_DIGITS).tolist()
    return {"title": f"{plane.shape[0]}x{plane.shape[1]}", "rows": rows}
