"""Quantization-aware training: the model learns to answer with int8 weights and activations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from workbench.compress.fine_tuning import FineTuned, Wrapped
from workbench.compress.quantization_scheme import Preserve, scheme_of, writable
from workbench.compress.reached import is_clustered, kernels_of, quantized_layers
from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from workbench.compress.base import Trait

_LONGEST_REASON = 300
_BY_CHANNEL = (
    "Shared values are kept in each output channel of a convolution, which has a scale of its own: as integers, the "
    "whole kernel, which `unique` counts, has more of them. With per_channel=False they stay as few."
)
_OF_TRAINING = ("cluster_centroids_tf", "ori_weights_vars_tf", "pulling_indices_tf")
_KEPT: dict[str, frozenset[Trait]] = {
    "none": frozenset(),
    "sparsity": frozenset({"sparsity"}),
    "clusters": frozenset({"clusters"}),
    "both": frozenset({"sparsity", "clusters"}),
}


class QuantizationAwareTraining(FineTuned):
    """Jacob et al., "Quantization and Training of Neural Networks …" (2018), with TensorFlow Model Optimization.

    With `preserve` these are tfmot's PQAT, CQAT and PCQAT. The result keeps its quantize wrappers, so that a conversion
    to int8 TFLite finds the ranges that were learnt.
    """

    made: ClassVar[str] = "quantization-aware"
    gives: ClassVar[frozenset[Trait]] = frozenset({"quantization"})

    preserve: Preserve = Field("none", description="what the model has and must keep: zeros, shared values, or both")
    per_channel: bool = Field(
        default=True,
        description="each output channel of a convolution has a scale of its own, which is more exact; one scale for "
        "the whole kernel keeps its shared values few in the file",
    )

    @property
    def label(self) -> str:
        """What it does, for the curve."""
        kind = {"none": "QAT", "sparsity": "PQAT", "clusters": "CQAT", "both": "PCQAT"}[self.preserve]
        return f"quantization-aware training ({kind})"

    def objection(self, present: frozenset[Trait]) -> str | None:
        """What came before must be preserved."""
        if present <= _KEPT[self.preserve]:
            return None
        needed = next(name for name, kept in _KEPT.items() if kept >= present)
        return f"must have preserve={needed!r} to keep what the steps before it gave"

    def wrap(self, model: Any, steps: int) -> Wrapped:
        """Emulate int8 in every layer."""
        from tensorflow_model_optimization.quantization import keras as quantization

        del steps
        self._require_what_is_preserved(model)
        try:
            annotated = quantization.quantize_annotate_model(model)
            with quantization.quantize_scope():
                wrapped = quantization.quantize_apply(
                    annotated, scheme=scheme_of(self.preserve, per_channel=self.per_channel)
                )
        except (ValueError, RuntimeError) as error:
            # tfmot names the layer.
            reason = " ".join(str(error).split())[:_LONGEST_REASON]
            raise BadInputError.of(
                "model", rule="must have only layers that tfmot can quantise", got=reason,
                hint="use post_training, which needs no training",
            ) from error  # fmt: skip
        notes = (_BY_CHANNEL,) if self.per_channel and "clusters" in _KEPT[self.preserve] else ()
        return Wrapped(wrapped, facts={"quantized": quantized_layers(wrapped)}, notes=notes)

    def strip(self, model: Any) -> Any:
        """Put what was preserved into the weights and leave tfmot's plain quantize wrappers."""
        import tf_keras

        for layer in model.layers:
            for weight, _, variables in getattr(layer, "_weight_vars", ()):
                if "sparsity_mask" in variables:
                    # A masked negative weight is -0.0, another bit pattern than 0.
                    weight.assign(weight * variables["sparsity_mask"] + 0.0)
        with self.saving():
            plain = tf_keras.models.clone_model(model)
        for old, new in zip(model.layers, plain.layers, strict=True):
            kept = [each for each in old.weights if not any(name in each.name for name in _OF_TRAINING)]
            for source, target in zip(kept, new.weights, strict=True):
                target.assign(source)
        return plain

    def saving(self) -> AbstractContextManager[Any]:
        """Let Keras find tfmot's classes."""
        return writable()

    def _require_what_is_preserved(self, model: Any) -> None:
        kernels = [array for arrays in kernels_of(model).values() for array in arrays]
        kept = _KEPT[self.preserve]
        if "sparsity" in kept and not any((array == 0).any() for array in kernels):
            raise BadInputError.of(
                "preserve", rule="must fit the model, which has no zeros", got=self.preserve, hint="prune it first"
            )
        if "clusters" in kept and not any(is_clustered(array) for array in kernels):
            raise BadInputError.of(
                "preserve", rule="must fit the model, in which no layer is clustered", got=self.preserve,
                hint="cluster it first",
            )  # fmt: skip
