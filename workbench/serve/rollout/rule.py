"""What a rule says to a rollout that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from workbench.core.records.rollout import RolloutReport
    from workbench.serve.rollout.settings import RolloutRule

    Decision = tuple[Literal["promoted", "aborted"], str]


def decide(report: RolloutReport, rule: RolloutRule) -> Decision | None:
    """Return how a rollout is to end and why, None where more requests are to be seen first.

    An abort for disagreement needs no more pairs than make it sure: the upper end of Wilson's interval lies below
    the bound.
    """
    canary, agreement, ratio = report.canary, report.agreement, report.latency_ratio
    enough = canary.requests >= rule.min_requests
    if enough and canary.error_rate > rule.max_error_rate:
        return "aborted", (
            f"{canary.errors} of {canary.requests} requests failed, {_percent(canary.error_rate)}; "
            f"at most {_percent(rule.max_error_rate)} may"
        )
    timed = report.shadow or report.stable.requests >= rule.min_requests
    if enough and timed and ratio is not None and ratio > rule.max_latency_ratio:
        return (
            "aborted",
            f"its p95 is {ratio:.2f} times the other's; at most {rule.max_latency_ratio:g} times is allowed",
        )
    if agreement is None:
        return None
    said = (
        f"both say the same of {_percent(agreement.value)} of {report.pairs} samples "
        f"({_percent(agreement.low)} to {_percent(agreement.high)}); at least {_percent(rule.min_agreement)} is asked"
    )
    done = enough and report.pairs >= rule.min_pairs
    if agreement.high < rule.min_agreement or (done and agreement.value < rule.min_agreement):
        return "aborted", said
    return ("promoted", said) if done else None


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"
