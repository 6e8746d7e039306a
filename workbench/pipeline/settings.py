"""What a road is asked to do, and the gate it has to pass."""

from __future__ import annotations

from pydantic import Field

from workbench.core.settings import Settings


class RoadSettings(Settings):
    """One whole road; every field is a flag of `workbench run`."""

    dataset: str | None = Field(
        None,
        description="Name of a dataset, an .npz file or a folder of class folders; the default is MNIST where "
        "it is at hand, else the digits inside scikit-learn.",
    )
    recipe: str = Field("docs", description="How to train first; a failed gate moves on to `best`.")
    epochs: int | None = Field(None, ge=1, le=1000, description="Passes over the training data; the recipe's own.")
    sparsity: float = Field(0.8, ge=0, lt=1, description="Share of weights that pruning sets to zero.")
    attempts: int = Field(3, ge=1, le=10, description="How often a failed gate may send the road back to training.")
    seed: int = Field(0, ge=0, description="Random seed of every step.")
    requests: int = Field(200, ge=1, le=100_000, description="How many test images are asked of each server.")
