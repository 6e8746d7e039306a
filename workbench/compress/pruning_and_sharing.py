"""Pruning and weight sharing in one fine-tuning: the recipe for the smallest file that answers as well."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from workbench.compress.fine_tuning import FineTuned, Wrapped
from workbench.compress.sorted_clusters import centroids_of
from workbench.compress.straight_through import straight_through, thinned, trainable_kernels
from workbench.core.errors import BadInputError
from workbench.evaluate.distinct import distinct_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from workbench.compress.base import Trait
    from workbench.datasets import Dataset
    from workbench.train.settings import LearningSettings

_DECAY = 0.995
_SMALL_LAYER = 0.01
_BIAS_LEVELS = 127


class PruningAndSharing(FineTuned):
    """Deep Compression's two steps (Han, Mao & Dally, 2016) as one: weights leave by saliency, the rest share values.

    A weight's saliency is w²·E[g²], judged over all layers together; one that has left does not come back. The model
    that the chain began with teaches, and images are shifted: with nine weights of ten gone, the fine-tuning decides.
    """

    made: ClassVar[str] = "shared"
    gives: ClassVar[frozenset[Trait]] = frozenset({"sparsity", "clusters"})

    sparsity: float = Field(0.91, ge=0, lt=1, description="share of all kernels' weights together to set to zero")
    clusters: int = Field(
        8, ge=2, le=256, description="distinct values that a layer's weights share besides zero: 8 make 9 with it"
    )
    small_layer_clusters: int = Field(
        16, ge=2, le=256, description="the same for layers with less than a hundredth of the weights"
    )
    ramp: float = Field(0.5, gt=0, le=1, description="share of the fine-tuning in which weights leave, cubically")
    sharing_from: float = Field(0.5, ge=0, le=1, description="share of the fine-tuning after which values are shared")
    settled_from: float = Field(0.9, ge=0, le=1, description="share of the fine-tuning after which values stand still")
    update_steps: int = Field(20, ge=1, le=10_000, description="steps between two looks at what leaves")
    epochs: int = Field(14, ge=1, le=500, description="passes over the training data")
    min_steps: int = Field(400, ge=0, le=100_000, description="least steps of fine-tuning")
    batch_size: int = Field(128, ge=1, le=4096, description="samples a step")
    learning_rate: float = Field(3e-3, gt=0, le=1, description="peak of adam's step size")
    rate_schedule: Literal["constant", "cosine"] = Field(
        "cosine", description="how the learning rate moves over the fine-tuning"
    )
    warmup: float = Field(0.03, ge=0, le=0.5, description="share of all steps in which the rate climbs from 0")
    shift_pixels: int = Field(1, ge=0, le=8, description="each image is moved by up to so many pixels")
    label_smoothing: float = Field(0.05, ge=0, lt=0.5, description="part of each label spread over all classes")
    distillation_weight: float = Field(
        0.6, ge=0, le=1, description="how much the answers of the model that the chain began with count"
    )
    temperature: float = Field(1.0, ge=1, le=100, description="how much those answers are softened")

    def objection(self, present: frozenset[Trait]) -> str | None:
        """Shared values are undone by what moves each weight by itself."""
        return "must not follow clustering, which is part of it" if "clusters" in present else None

    def wrap(self, model: Any, steps: int) -> Wrapped:
        """Put masks and codebooks between the weights and the loss."""
        if not trainable_kernels(model):
            raise BadInputError.of(
                "model", rule="must have a layer with weights to prune",
                got=[type(each).__name__ for each in model.layers], hint="leave pruning and sharing out for this model",
            )  # fmt: skip
        most = max(self.clusters, self.small_layer_clusters)
        wrapped = straight_through(model, decay=_DECAY, most_codes=most)
        wrapped.build(model.input_shape)
        return Wrapped(wrapped, (self._updates(steps),), {"sparsity_asked": self.sparsity})

    def strip(self, model: Any) -> Any:
        """Leave the weights as the loss saw them, and round the biases to 8 bits."""
        for kernel, value in zip(model.kernels, model.compressed(), strict=True):
            kernel.assign(value)
        _round_biases(model.inner)
        return model.inner

    def shortfalls(self, layers: Mapping[str, Mapping[str, Any]], metrics: Mapping[str, Any]) -> list[str]:
        """Compare the zeros and each layer's values with what was asked."""
        said = []
        every = sum(facts["elements"] for facts in layers.values())
        zeros = sum(facts["elements"] * facts["sparsity"] for facts in layers.values())
        if zeros < round(metrics["sparsity_asked"] * every) - 1:
            said.append(f"{metrics['sparsity_asked']:.2%} of all weights must be zero, got {zeros / every:.2%}.")
        for name, facts in layers.items():
            most = self._size(facts["elements"], every) + 1
            if facts["unique"] > most:
                said.append(f"{name} must have at most {most} values with zero, got {facts['unique']}.")
        return said

    def learning(self, data: Dataset) -> LearningSettings:
        """Return how it is fine-tuned: with a warm-up and smoothed labels."""
        warmup = self.warmup if self.rate_schedule == "cosine" else 0.0
        return super().learning(data).replace(warmup=warmup, label_smoothing=self.label_smoothing)

    def _size(self, elements: int, every: int) -> int:
        return self.small_layer_clusters if elements < _SMALL_LAYER * every else self.clusters

    def _updates(self, steps: int) -> Any:
        from tf_keras.callbacks import Callback

        method = self

        class Updates(Callback):  # type: ignore[misc]
            def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
                del batch, logs
                step = int(self.model.optimizer.iterations)
                if step % method.update_steps == 0:
                    method._prune(self.model, step / steps)
                    method._share(self.model, step / steps)

            def on_train_end(self, logs: Any = None) -> None:
                del logs
                method._prune(self.model, 1.0)
                # A ramp that ends with the fine-tuning may have left values that no weight has any more.
                method._share(self.model, 1.0)

        return Updates()

    def _prune(self, model: Any, done: float) -> None:
        if not done:  # no gradient has been seen yet
            return
        sparsity = self.sparsity * (1 - (1 - min(1.0, done / self.ramp)) ** 3)
        masks = [mask.numpy() for mask in model.masks]
        weights = [kernel.numpy() for kernel in model.kernels]
        squares = [square.numpy() for square in model.squares]
        every = sum(mask.size for mask in masks)
        for variable, mask in zip(
            model.masks, thinned(masks, weights, squares, every - round(sparsity * every)), strict=True
        ):
            variable.assign(mask)

    def _share(self, model: Any, done: float) -> None:
        if done < self.sharing_from:
            return
        every = sum(kernel.shape.num_elements() for kernel in model.kernels)
        for kernel, mask, codes in zip(model.kernels, model.masks, model.codebooks, strict=True):
            before = codes.numpy()[np.isfinite(codes.numpy())]
            if len(before) and done >= self.settled_from:
                continue
            size = self._size(kernel.shape.num_elements(), every)
            there = mask.numpy()
            # A layer may have lost all its weights; its codebook is then never looked at.
            values = kernel.numpy()[there] if there.any() else np.zeros(1, np.float32)
            found = half_float_codebook(values, size, before if len(before) == size else None)
            room = np.full(codes.shape, np.inf, np.float32)
            room[: len(found)] = found
            codes.assign(room)


def half_float_codebook(
    values: NDArray[np.float32], size: int, start: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Return up to `size` ascending values that stand for all others, each exactly a float16: two bytes in a file."""
    centroids = centroids_of(np.sort(values, axis=None), size, start)
    return np.asarray(distinct_values(centroids.astype(np.float16)), np.float32)


def _round_biases(model: Any) -> None:
    """Round each layer's biases to 8 bits: whole numbers times a power of two."""
    for layer in model.layers:
        bias = getattr(layer, "bias", None)
        if bias is None:
            continue
        values = bias.numpy()
        largest = float(np.abs(values).max())
        if largest:
            unit = 2.0 ** math.ceil(math.log2(largest / _BIAS_LEVELS))
            bias.assign(np.rint(values / unit) * unit)
