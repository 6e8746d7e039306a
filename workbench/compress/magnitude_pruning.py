"""Magnitude pruning: the smallest weights become zero while the others are fine-tuned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from workbench.compress.fine_tuning import Wrapped
from workbench.compress.one_threshold import over_rms, shares_below
from workbench.compress.prunable import (
    gradually,
    lacks_zeros,
    prunable_kernels,
    prune_layers,
    require_known,
    sizes,
    with_own_kernels,
)
from workbench.compress.pruning import Pruning
from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

_Share = Annotated[float, Field(ge=0, lt=1)]


class MagnitudePruning(Pruning):
    """Zhu & Gupta, "To prune, or not to prune" (2017), with TensorFlow Model Optimization."""

    made: ClassVar[str] = "pruned"

    sparsity: float = Field(0.8, ge=0, lt=1, description="share of the kernels' weights to set to zero")
    scope: Literal["layer", "global"] = Field(
        "layer",
        description="each layer gets the sparsity asked for, or one threshold on |weight| / RMS of its layer decides "
        "how much of it each layer takes",
    )
    sparsity_by_layer: dict[str, _Share] = Field(
        default_factory=dict, description="sparsity of single layers, by name, instead of the one above"
    )
    skip: tuple[str, ...] = Field((), description="names of layers that are left as they are")
    schedule: Literal["polynomial", "constant"] = Field(
        "polynomial", description="how the sparsity grows: cubically from the initial one, or at once"
    )
    initial_sparsity: float = Field(
        0.5, ge=0, lt=1, description="where a polynomial schedule begins; capped at the sparsity asked for"
    )
    ramp: float = Field(
        0.5, gt=0, le=1, description="share of the fine-tuning after which the full sparsity is reached"
    )

    @model_validator(mode="after")
    def _one_word_a_layer(self) -> Self:
        if both := sorted(set(self.skip) & self.sparsity_by_layer.keys()):
            raise BadInputError.of("skip", rule="must not name a layer that has a sparsity of its own", got=both[0])
        return self

    @property
    def label(self) -> str:
        """What it does, for the curve."""
        return f"pruning to {self.sparsity:.0%}"

    def wrap(self, model: Any, steps: int) -> Wrapped:
        """Wrap the layers that are not skipped, each with the schedule of its own level."""
        from tensorflow_model_optimization.sparsity import keras as sparsity

        kernels = prunable_kernels(model)
        levels = self.levels(kernels)
        wrapped = prune_layers(model, {name: self._wrapper(level, steps) for name, level in levels.items()})
        left = with_own_kernels(model, kernels) | dict.fromkeys(self.skip, "skipped, as asked")
        facts = {"sparsity_asked": self.sparsity, "levels": levels, "prunable": sizes(kernels), "not_pruned": left}
        return Wrapped(wrapped, (sparsity.UpdatePruningStep(),), facts)

    def shortfalls(self, layers: Mapping[str, Mapping[str, Any]], metrics: Mapping[str, Any]) -> list[str]:
        """Compare each layer's zeros with its level."""
        return [
            f"{name} must have {level:.2%} zeros, got {layers[name]['sparsity']:.2%}."
            for name, level in metrics["levels"].items()
            if lacks_zeros(layers[name], level, metrics["prunable"][name])
        ]

    def levels(self, kernels: dict[str, list[NDArray[Any]]]) -> dict[str, float]:
        """Return the sparsity that each layer is pruned to.

        Args:
            kernels: Weights that can be pruned, by layer.

        Raises:
            BadInputError: `skip` or `sparsity_by_layer` names a layer that is not among them, or all are skipped.
        """
        require_known("skip", self.skip, kernels)
        require_known("sparsity_by_layer", self.sparsity_by_layer, kernels)
        taken = [name for name in kernels if name not in self.skip]
        if not taken:
            raise BadInputError.of("skip", rule="must leave a layer to prune", got=list(self.skip))
        shared = {name: kernels[name] for name in taken if name not in self.sparsity_by_layer}
        levels = dict.fromkeys(shared, self.sparsity)
        if self.scope == "global" and shared:
            levels = _levels_of_one_threshold(shared, self.sparsity)
        return {name: (levels | self.sparsity_by_layer)[name] for name in taken}

    def _wrapper(self, level: float, steps: int) -> Callable[[Any], Any]:
        from tensorflow_model_optimization.sparsity import keras as sparsity

        schedule = gradually(
            level, steps, initial=self.initial_sparsity, ramp=self.ramp, at_once=self.schedule == "constant"
        )
        return lambda layer: sparsity.prune_low_magnitude(layer, pruning_schedule=schedule)


def _levels_of_one_threshold(kernels: dict[str, list[NDArray[Any]]], share: float) -> dict[str, float]:
    magnitudes = [over_rms(np.abs(np.concatenate([each.ravel() for each in arrays]))) for arrays in kernels.values()]
    return dict(zip(kernels, shares_below(magnitudes, share), strict=True))
