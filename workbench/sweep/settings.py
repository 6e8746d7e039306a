"""What can be set about a sweep, declared once."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from pydantic import Field, field_validator

from workbench.core.checks import require_whole
from workbench.core.errors import BadInputError
from workbench.core.settings import Settings
from workbench.sweep.constraint import parse
from workbench.sweep.metrics import metric_name

_MOST_WORKERS = 256
_Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]


class SweepSettings(Settings):
    """How a space is searched and measured."""

    search: Literal["grid", "optuna"] = Field("grid", description="every point, or what Optuna proposes")
    sampler: Literal["tpe", "nsga2"] = Field("tpe", description="how Optuna proposes points")
    sampler_seed: int = Field(0, ge=0, le=2**31 - 1, description="seed of Optuna's sampler")
    trials: int = Field(40, ge=1, le=100_000, description="configurations that Optuna tries")
    objectives: tuple[str, ...] = Field(
        ("accuracy", "gzip", "p95_ms"), min_length=1, description="metrics that the frontier and Optuna weigh"
    )
    constraints: tuple[str, ...] = Field((), description='limits such as "gzip <= 40 kB" or "drop <= 0.2 pt"')
    seeds: tuple[_Seed, ...] = Field((), description="each point is repeated with each seed; none: the steps' own")
    share_trajectory: bool = Field(
        default=False, description="one gradual pruning serves all sparsities; its snapshots recover shortly"
    )
    runs: int = Field(200, ge=10, le=10_000, description="timed calls of each model, half of them by its copy")

    @field_validator("objectives")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        full = tuple(metric_name(name, "objectives") for name in names)
        if len(set(full)) < len(full):
            raise BadInputError.of("objectives", rule="must not repeat a metric", got=list(names))
        return full

    @field_validator("constraints")
    @classmethod
    def _readable(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(parse(text).text for text in texts)


def require_workers(asked: int | None) -> int:
    """Return how many jobs a sweep has under way at once.

    Raises:
        BadInputError: It is no whole number of 1…256.
    """
    return default_workers() if asked is None else require_whole("workers", asked, least=1, most=_MOST_WORKERS)


def default_workers() -> int:
    """Return as many as the cluster runs."""
    return int(os.environ.get("WORKBENCH_WORKERS") or os.cpu_count() or 1)
