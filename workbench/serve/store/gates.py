"""Who may be published, and who may be called stable: what a gate passed, or what somebody answers for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError, GateFailedError
from workbench.core.records import Verdict
from workbench.core.records.store import Override
from workbench.serve.store.labels import STABLE, check_label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench.core.records.store import GateWord, StoreChange


def gate_facts(name: str, verdict: Verdict | None, override: Override | None) -> dict[str, Any]:
    """Return what the history says of a published model's gate.

    Raises:
        GateFailedError: It did not pass, and nobody answers for it.
    """
    if not isinstance(verdict, Verdict | None):
        raise BadInputError.of("verdict", rule="must be a Verdict or None", got=verdict, hint="`Gate.check` gives one")
    passed = verdict is not None and verdict.passed
    if verdict is not None and not passed and override is None:
        raise GateFailedError(
            f"{name} must pass its gate to be published: {verdict.reasons} "
            "Make it better, or say who lets it through and why: override=Override(who=…, why=…)."
        )
    gate: GateWord = "passed" if passed else "ungated" if override is None else "overridden"
    return {"gate": gate, "verdict": _in_short(verdict)}


def said_by(by: str, why: str, override: Override | None) -> dict[str, Any]:
    """Return what the history says of who made a change and why; who lets a model through has a word in it."""
    check_override(override)
    if override is None:
        return {"by": by, "why": why}
    return {"by": by or override.who, "why": "; ".join(filter(None, (why, override.why))), "gate": "overridden"}


def check_override(override: object) -> None:
    """Refuse what does not say who lets a model through.

    Raises:
        BadInputError: It is neither an Override nor None.
    """
    if not isinstance(override, Override | None):
        raise BadInputError.of(
            "override", rule="must be an Override or None", got=override, hint="write Override(who=…, why=…)"
        )


def _in_short(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    if not verdict.passed:
        return f"failed: {verdict.reasons}"
    count = len(verdict.lines)
    return f"passed, {count} rule{'' if count == 1 else 's'} held" if count else "passed, no rule was asked"


def gate_of(history: Iterable[StoreChange], version: int, sha256: str) -> GateWord:
    """Return how a version came past the gate; a number that holds another model since does not count."""
    words = [
        each.gate for each in history
        if each.action == "publish" and each.version == version and sha256 and each.sha256 == sha256
    ]  # fmt: skip
    return next((word for word in ("passed", "overridden") if word in words), "ungated")


def check_may_be(label: str, verdict: Verdict | None, override: Override | None) -> None:
    """Refuse a label for a model that is still to be published.

    Raises:
        BadInputError: It has other signs than letters, digits and `_`, or the model may not be called stable.
    """
    check_label(label)
    require_gate(label, "a model without a verdict", "ungated" if verdict is None else "passed", override)


def require_gate(label: str, version: int | str, gate: GateWord, override: Override | None) -> None:
    """Refuse to call a model stable that no gate passed and nobody answers for.

    Raises:
        BadInputError: It is such a model.
    """
    if label == STABLE and gate == "ungated" and override is None:
        raise BadInputError.of(
            "version", rule="must have passed a gate to be called stable", got=version,
            hint="publish the model with verdict=gate.check(…), or say who lets it through and why: "
            "override=Override(who=…, why=…)",
        )  # fmt: skip
