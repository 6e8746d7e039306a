"""What a search over trainings may vary: any setting of learning, any size of the network, under a budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from workbench.core.errors import BadInputError
from workbench.core.settings import Settings
from workbench.train.architectures.base import ARCHITECTURES
from workbench.train.fit import train_settings
from workbench.train.settings import LearningSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.datasets import Dataset
    from workbench.train.settings import TrainSettings

_BYTES_A_WEIGHT = 4
# What the search decides itself: which samples are held back, and with which seed.
_NOT_AXES = ("validation_fraction",)


class Budget(Settings):
    """How large a network may be; counted on paper before anything is trained."""

    parameters: int | None = Field(default=None, ge=1, description="most weights and biases")
    bytes: int | None = Field(default=None, ge=1, description="most bytes of the float32 ONNX file")

    def refusal(self, network: TrainSettings, data: Dataset) -> str:
        """Say in one sentence why a network is not trained; "" where it may be.

        Args:
            network: The training that is proposed.
            data: What it would be trained on.

        Raises:
            BadInputError: There is a budget, and this architecture cannot be counted without building it.
        """
        if self.parameters is None and self.bytes is None:
            return ""
        count = network.network.parameters(data.shape, len(data.classes))
        if count is None:
            raise BadInputError.of(
                "architecture", rule="must be one whose parameters are counted before it is built, under a budget",
                got=network.architecture, hint="choose sized_cnn, or leave the budget out",
            )  # fmt: skip
        if self.parameters is not None and count > self.parameters:
            return f"refused before training: {count:,} parameters are above the budget of {self.parameters:,}"
        if self.bytes is not None and count * _BYTES_A_WEIGHT > self.bytes:
            return f"refused before training: {count * _BYTES_A_WEIGHT:,} bytes are above the budget of {self.bytes:,}"
        return ""


class SearchSettings(Settings):
    """How trainings are searched."""

    trials: int = Field(
        default=20, ge=1, le=10_000, description="proposals that are trained, or were before; refused ones do not count"
    )
    budget: Budget = Field(default_factory=Budget, description="how large a network may be")
    pruner: bool = Field(default=True, description="end trials early that are below the median of the others")
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="seed of Optuna's sampler and of every training")
    architecture: str = Field(default="sized_cnn", description="network whose sizes are searched")
    validation_fraction: float = Field(
        default=0.2, gt=0, le=0.5, description="share of each class of the training split that trials are judged by"
    )

    @model_validator(mode="after")
    def _known(self) -> SearchSettings:
        ARCHITECTURES.get(self.architecture)
        return self


def axes_of(architecture: str) -> dict[str, type[Settings]]:
    """Return the names of all axes, each with the class that declares it.

    Raises:
        BadInputError: No such architecture.
    """
    unit = ARCHITECTURES.get(architecture)
    learning = {name: LearningSettings for name in LearningSettings.model_fields if name not in _NOT_AXES}
    return {**learning, **dict.fromkeys(unit.model_fields, unit)}


def require_value(architecture: str, name: str, value: Any) -> None:
    """Check one value of an axis against its declaration.

    Raises:
        BadInputError: There is no such axis, or the value breaks the declared rule.
    """
    known = axes_of(architecture)
    if name not in known:
        raise BadInputError.of("space", rule=f"must have axes among {', '.join(known)}", got=name)
    if name != "patience":  # which does not stand alone
        known[name](**{name: value})


def candidate(
    data: Dataset, settings: SearchSettings, fixed: Mapping[str, Any], values: Mapping[str, Any]
) -> TrainSettings:
    """Return the training that values by axis mean.

    Args:
        data: What is trained on.
        settings: Of the search.
        fixed: Training settings that all trials share; `recipe` is what they begin with.
        values: Value by axis.

    Raises:
        BadInputError: They do not fit together, or the network does not fit the samples.
    """
    sizes = ARCHITECTURES.get(settings.architecture).model_fields
    learning = {name: value for name, value in values.items() if name not in sizes}
    network = {name: value for name, value in values.items() if name in sizes}
    shared = {
        "seed": settings.seed, "validation_fraction": settings.validation_fraction,
        "architecture_settings": {**fixed.get("architecture_settings", {}), **network},
    }  # fmt: skip
    return train_settings(data, architecture=settings.architecture, **{**dict(fixed), **shared, **learning})
