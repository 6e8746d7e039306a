"""What may be done about an alarm without asking anybody, and how often."""

from __future__ import annotations

from pydantic import Field

from workbench.core.settings import Settings


class ReactionBounds(Settings):
    """What bounds reactions, whichever are allowed."""

    settle_seconds: float = Field(
        default=10.0, ge=0, le=86_400,
        description="time after a reaction in which nothing is done; then only what came since is judged",
    )  # fmt: skip
    blame_seconds: float = Field(
        default=3600.0, gt=0, le=366 * 86_400,
        description="an alarm is held against a version that has answered for no longer than this",
    )  # fmt: skip
    max_rollbacks: int = Field(default=3, ge=1, le=1000, description="rollbacks in the time below, at most")
    within_seconds: float = Field(
        default=86_400.0, gt=0, le=366 * 86_400, description="that time in seconds; 86400 is a day"
    )
    canary_percent: float = Field(
        default=10.0, gt=0, le=100,
        description="share of requests that a retrained version answers until it has proved well; 100 asks no proof",
    )  # fmt: skip


class ReactionSettings(ReactionBounds):
    """Which reactions are allowed, and their bounds."""

    roll_back: bool = Field(default=True, description="let the version before answer where a new one does badly")
    retrain: bool = Field(default=True, description="train anew with the hard set where inputs drift")
