"""What a rollout is asked for."""

from __future__ import annotations

from pydantic import Field

from workbench.core.settings import Settings


class RolloutRule(Settings):
    """Decides a rollout by itself: it ends well once there are enough pairs and nothing is out of bounds.

    It is aborted as soon as something is out of bounds that more requests would not mend: the whole interval of the
    agreement lies below its bound, or, with enough requests, too many fail or take too long.
    """

    min_pairs: int = Field(default=500, ge=1, le=10**9, description="samples that both versions must have answered")
    min_agreement: float = Field(default=0.95, ge=0, le=1, description="share of them with the same class, at least")
    max_latency_ratio: float = Field(default=2.0, gt=0, le=1000, description="95th percentile over the other's")
    max_error_rate: float = Field(default=0.01, ge=0, le=1, description="share of the new version's requests that fail")
    min_requests: int = Field(default=100, ge=1, le=10**9, description="requests before errors and times count")


class RolloutSettings(Settings):
    """How a new version is tried on live requests."""

    percent: float = Field(default=10.0, ge=0, le=100, description="share of the requests that it gets, in percent")
    shadow: bool = Field(default=False, description="it gets copies, and no client sees its answers")
    sticky: str = Field(
        default="x-client-id",
        pattern=r"^[a-z0-9_.\-]{1,128}$",
        description="header whose sender stays with one version, small letters",
    )
    pairs_percent: float = Field(
        default=10.0, ge=0, le=100, description="share of the requests that both versions answer, to be compared"
    )
    rule: RolloutRule | None = Field(default=None, description="what decides; a person does where it is left out")
