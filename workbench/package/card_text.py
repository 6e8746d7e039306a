"""The model card as people read it: what was measured, on what, and what nobody knows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from workbench.core.records import Evaluation
    from workbench.core.records.package import ModelCard


def card_text(card: ModelCard) -> str:
    """Return the card in Markdown; every figure in it is also in `model_card.json`."""
    parts = [
        f"# {card.name}, version {card.version}", _facts(card), "## How right it is", _evaluation(card.evaluation),
        "## What the gate said", _verdict(card), "## What nobody knows", _unknown(card.evaluation),
        "## How it was made", _made(card),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _facts(card: ModelCard) -> str:
    rows = [
        ("format", f"{card.format}, weights {card.numeric}"),
        ("size", f"{card.sizes.raw:,} bytes, {card.sizes.gzip:,} once gzip'd"),
        ("sha256", f"`{card.model}`"),
        ("made from", f"`{card.parent}`" if card.parent else "nothing: it was trained or brought in as it is"),
        ("created", card.created or "unknown"),
    ]
    return _table(("", ""), rows)


def _evaluation(evaluation: Evaluation | None) -> str:
    if evaluation is None:
        return "Nobody measured it, or the measurement was not packed."
    share = evaluation.accuracy
    rows = [
        (each.label, f"{each.precision:.4f}", f"{each.recall:.4f}", f"{each.f1:.4f}", f"{each.support:,}")
        for each in evaluation.classes
    ]
    said = (
        f"Accuracy **{share.value:.4f}** (95 % interval {share.low:.4f} to {share.high:.4f}) on {share.total:,} "
        f"samples, the {evaluation.split} split of {evaluation.dataset} (checksum `{evaluation.checksum[:12]}…`). "
        f"Log loss {evaluation.log_loss:.4f}, expected calibration error {evaluation.calibration_error:.4f}."
    )
    return f"{said}\n\n" + _table(("class", "precision", "recall", "F1", "samples"), rows)


def _verdict(card: ModelCard) -> str:
    if card.verdict is None:
        return "No gate was asked."
    lines = [f"- {'passed' if line.passed else '**failed**'}: {line.reason}" for line in card.verdict.lines]
    said = f"It **{'passed' if card.verdict.passed else 'failed'}**."
    if card.override is not None and not card.verdict.passed:
        said += f" {card.override.who} let it through: {card.override.why}"
    return "\n".join([said, *(["", *lines] if lines else [])])


def _unknown(evaluation: Evaluation | None) -> str:
    where = f"the {evaluation.split} split of {evaluation.dataset}" if evaluation else "no data at all"
    return (
        f"These figures are of {where}. Inputs of another kind (other cameras, scales, preprocessing, classes) were "
        "not measured, and neither was who is hurt by a wrong answer. Watch it where it serves: compare its inputs and "
        "answers with those above, and have some of its answers checked by people."
    )


def _made(card: ModelCard) -> str:
    rows = [
        *((f"`{name}`", f"`{json.dumps(value, ensure_ascii=False)}`") for name, value in card.settings.items()),
        ("seed", "none" if card.seed is None else str(card.seed)),
        ("processor", card.cpu or "unknown"),
        *sorted(card.versions.items()),
    ]
    return _table(("setting, package", "value, version"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(each) for each in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", r"\|").split())
