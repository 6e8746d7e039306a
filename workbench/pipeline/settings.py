"""What a road is asked to do, and the gate it has to pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from workbench.core.settings import Settings
from workbench.datasets.base import SOURCES
from workbench.evaluate.gate import Gate

if TYPE_CHECKING:
    from workbench.datasets import Dataset

_DROP = 0.005
_FEWEST_IMAGES = 5


class RoadSettings(Settings):
    """One whole road; every field is a flag of `workbench run`."""

    dataset: str | None = Field(
        None,
        description="Name of a dataset, a .csv or .npz file or a folder of class folders; the default is MNIST where "
        "it is at hand, else the digits inside scikit-learn.",
    )
    label: str | None = Field(
        None, description="Column of a .csv file that holds the classes; the default is its label, class, target or y."
    )
    recipe: str = Field(
        "docs", description="How to train: docs or best; a failed gate leads to more epochs, then to best."
    )
    architecture: str | None = Field(None, description="Network to train; what the recipe says where not given.")
    epochs: int | None = Field(
        None, ge=1, le=500, description="Passes over the training data; what the recipe says where not given."
    )
    sparsity: float = Field(0.8, ge=0, lt=1, description="Share of weights that pruning sets to zero.")
    attempts: int = Field(3, ge=1, le=10, description="How often to train at most until the gate passes.")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Random seed of every step.")
    requests: int = Field(200, ge=1, le=100_000, description="How many test samples are asked of each server.")


def default_gate(data: Dataset) -> Gate:
    """Return what must hold where nobody said: a sound training, and half a point lost to compression.

    On a small test set half a point is a single image or two, so the drop may always be five images.
    """
    known = data.name in SOURCES.names()
    return Gate(
        min_accuracy=SOURCES.get(data.name).sound_accuracy if known else None,
        max_drop=max(_DROP, _FEWEST_IMAGES / data.test_size),
    )


def training_rules(gate: Gate) -> Gate:
    """Return the part of a gate that judges a training: nothing has been lost, packed or timed yet."""
    return accuracy_rules(gate).replace(max_drop=None, max_drop_high=None)


def accuracy_rules(gate: Gate) -> Gate:
    """Return the part of a gate that judges answers only: no rule on bytes or time."""
    return gate.replace(max_bytes=None, max_gzip_bytes=None, max_p95_ms=None)
