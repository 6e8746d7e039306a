"""What can be set about training, declared once."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from workbench.core.errors import BadInputError
from workbench.core.settings import Settings
from workbench.train.architectures.base import ARCHITECTURES, Architecture

Optimizer = Literal["adam", "adamw", "nadam", "rmsprop", "sgd"]
Schedule = Literal["constant", "cosine"]


class LearningSettings(Settings):
    """How to learn, whatever the model: training and fine-tuning share it. Defaults are the documents'."""

    epochs: int = Field(default=5, ge=1, le=500, description="passes over the training data")
    batch_size: int = Field(default=64, ge=1, le=4096, description="samples a step")
    learning_rate: float = Field(
        default=1e-3, gt=0, le=1, description="step size of the optimizer; its peak where there is a schedule"
    )
    schedule: Schedule = Field(default="constant", description="how the learning rate moves over the whole run")
    warmup: float = Field(
        default=0.0, ge=0, le=0.5, description="share of all steps in which the rate climbs from 0 (cosine only)"
    )
    optimizer: Optimizer = Field(default="adam", description="rule that turns gradients into steps")
    label_smoothing: float = Field(
        default=0.0, ge=0, lt=0.5, description="part of each label that is spread over all classes"
    )
    shift_pixels: int = Field(
        default=0,
        ge=0,
        le=8,
        description="each image is moved by up to so many pixels, anew every epoch; tables are not",
    )
    validation_fraction: float = Field(
        default=0.0, ge=0, le=0.5, description="share of each class held back from training to validate on"
    )
    patience: int | None = Field(
        default=None, ge=1, le=100,
        description="epochs without a lower val_loss before training stops and the best epoch's weights are kept",
    )  # fmt: skip
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="seed of weights, order and shifts")

    @model_validator(mode="after")
    def _patience_needs_validation(self) -> Self:
        if self.patience is not None and not self.validation_fraction:
            raise BadInputError.of(
                "patience", rule="must come with a validation split", got=self.patience,
                hint="set validation_fraction, for instance to 0.1",
            )  # fmt: skip
        return self


class TrainSettings(LearningSettings):
    """One training job."""

    dataset: dict[str, Any] = Field(description="the dataset's spec: name and checksum")
    recipe: str = Field(default="docs", description="name of the recipe that the other settings began with")
    architecture: str = Field(default="docs_cnn", description="name of the network")
    architecture_settings: dict[str, Any] = Field(
        default_factory=dict, description="the network's own settings, for instance filters and depth of sized_cnn"
    )

    @field_validator("architecture")
    @classmethod
    def _known(cls, name: str) -> str:
        ARCHITECTURES.get(name)
        return name

    @model_validator(mode="after")
    def _sized(self) -> Self:
        _ = self.network  # says what is wrong with its settings
        return self

    @property
    def network(self) -> Architecture:
        """The network that is asked for."""
        return ARCHITECTURES.get(self.architecture).parse(self.architecture_settings)
