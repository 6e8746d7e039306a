"""Structured sparsity: m zeros in every n weights along the inputs, or whole blocks of a dense kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from workbench.compress.fine_tuning import Wrapped
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

_DENSE, _CONV = 2, 4
_INPUTS = -2
_NO_KERNEL = "none: no runtime here has a kernel for this pattern, it only makes the file easier to compress"


class StructuredPruning(Pruning):
    """Patterns that hardware could skip (NVIDIA's 2:4, blocks), with TensorFlow Model Optimization."""

    made: ClassVar[str] = "structured"

    pattern: Literal["m:n", "block"] = Field(
        "m:n", description="m zeros in every n weights along the input channels, or blocks of a dense kernel"
    )
    zeros: int = Field(2, ge=1, le=63, description="m of m:n: zeros in every group, the smallest weights of it")
    group: int = Field(4, ge=2, le=64, description="n of m:n: weights in a group, of neighbouring input channels")
    sparsity: float = Field(0.5, ge=0, lt=1, description="share of blocks to set to zero (block only)")
    block_rows: int = Field(1, ge=1, le=64, description="height of a block, in inputs (block only)")
    block_columns: int = Field(4, ge=1, le=64, description="width of a block, in outputs (block only)")
    pooling: Literal["AVG", "MAX"] = Field("AVG", description="what of its weights a block is judged by (block only)")
    skip: tuple[str, ...] = Field((), description="names of layers that are left as they are")

    @model_validator(mode="after")
    def _some_weights_stay(self) -> Self:
        if self.pattern == "m:n" and self.zeros >= self.group:
            raise BadInputError.of(
                "zeros", rule=f"must be below group ({self.group})", got=self.zeros, hint="2 of 4 is the usual pattern"
            )
        if self.pattern == "block" and self.block_rows * self.block_columns == 1:
            raise BadInputError.of(
                "block_columns", rule="must make a block of at least two weights", got=1, hint="use magnitude_pruning"
            )
        return self

    @property
    def label(self) -> str:
        """What it does, for the curve."""
        return f"pruning {self._words}"

    def wrap(self, model: Any, steps: int) -> Wrapped:
        """Wrap the layers that the pattern fits and name the others."""
        from tensorflow_model_optimization.sparsity import keras as sparsity

        kernels = prunable_kernels(model)
        require_known("skip", self.skip, kernels)
        left = with_own_kernels(model, kernels) | dict.fromkeys(self.skip, "skipped, as asked")
        misfits = {name: why for name, arrays in kernels.items() if (why := self._misfit(arrays)) and name not in left}
        if self.pattern == "block" and misfits:
            raise BadInputError.of(
                "pattern", rule="must be m:n for layers other than dense ones", got=f"block on {', '.join(misfits)}",
                hint=f"or leave them as they are with skip={tuple(misfits)}",
            )  # fmt: skip
        left |= misfits
        taken = [name for name in kernels if name not in left]
        if not taken:
            said = "; ".join(f"{name}: {why}" for name, why in left.items())
            raise BadInputError.of("model", rule=f"must have a layer that {self._words} fits", got=said)
        wrapped = prune_layers(model, dict.fromkeys(taken, self._wrapper(steps)))
        facts = {
            "pattern": self._words,
            "pruned": taken,
            "prunable": sizes(kernels),
            "not_pruned": left,
            "speed_up": _NO_KERNEL,
        }
        notes = tuple(f"{name} is not pruned: {why}." for name, why in left.items())
        return Wrapped(wrapped, (sparsity.UpdatePruningStep(),), facts, notes)

    def shortfalls(self, layers: Mapping[str, Mapping[str, Any]], metrics: Mapping[str, Any]) -> list[str]:
        """Compare each layer's zeros with the pattern; blocks at an edge are smaller, so their share is not checked."""
        if self.pattern == "block":
            return []
        share = self.zeros / self.group
        return [
            f"{name} must have at least {share:.2%} zeros, got {layers[name]['sparsity']:.2%}."
            for name in metrics["pruned"]
            if lacks_zeros(layers[name], share, metrics["prunable"][name])
        ]

    @property
    def _words(self) -> str:
        return (
            f"{self.zeros}:{self.group}" if self.pattern == "m:n" else f"{self.block_rows}x{self.block_columns} blocks"
        )

    def _misfit(self, arrays: list[NDArray[Any]]) -> str | None:
        """Say why the pattern does not fit these kernels."""
        for array in arrays:
            if self.pattern == "block" and array.ndim != _DENSE:
                return f"its kernel has {array.ndim} axes, and blocks need {_DENSE}"
            if array.ndim not in (_DENSE, _CONV):
                return f"its kernel has {array.ndim} axes, and {self._words} needs {_DENSE} or {_CONV}"
            # tfmot would pad the groups with zeros of its own and find all of its zeros among them.
            if self.pattern == "m:n" and array.shape[_INPUTS] % self.group:
                return f"its {array.shape[_INPUTS]} input channels are no multiple of {self.group}"
        return None

    def _wrapper(self, steps: int) -> Callable[[Any], Any]:
        from tensorflow_model_optimization.sparsity import keras as sparsity

        if self.pattern == "m:n":
            # The masks are made once, in the first step; the schedule only has to be there.
            pattern: dict[str, Any] = {"sparsity_m_by_n": (self.zeros, self.group)}
            schedule = sparsity.ConstantSparsity(self.zeros / self.group, begin_step=0, frequency=1)
        else:
            pattern = {"block_size": (self.block_rows, self.block_columns), "block_pooling_type": self.pooling}
            schedule = gradually(self.sparsity, steps)
        return lambda layer: sparsity.prune_low_magnitude(layer, pruning_schedule=schedule, **pattern)
