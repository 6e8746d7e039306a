"""How many replicas Ray keeps."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from workbench.core.settings import Settings


class Replicas(Settings):
    """Ray Serve's replicas of one application; a fixed number where `least` and `most` are equal."""

    least: int = Field(default=1, ge=1, le=1024, description="replicas that are always there")
    most: int = Field(default=2, ge=1, le=1024, description="replicas under load")
    ongoing: int = Field(default=16, ge=1, le=4096, description="requests at once that a replica is meant to have")
    cpus: float = Field(default=1.0, gt=0, le=256, description="cores that one replica takes from its node")

    @model_validator(mode="after")
    def _grows(self) -> Replicas:
        if self.least > self.most:
            raise ValueError(f"most must be at least as many as least, {self.least}")
        return self

    def options(self) -> dict[str, Any]:
        """Return the options of a deployment."""
        count: dict[str, Any]
        if self.least == self.most:
            count = {"num_replicas": self.least}
        else:
            count = {
                "autoscaling_config": {
                    "min_replicas": self.least,
                    "max_replicas": self.most,
                    "target_ongoing_requests": self.ongoing,
                }
            }
        return {**count, "max_ongoing_requests": 4 * self.ongoing, "ray_actor_options": {"num_cpus": self.cpus}}
