"""Training through masks and codebooks: the loss sees the compressed weights, the optimizer moves the full ones.

The straight-through estimator of Bengio, Léonard & Courville, "Estimating or propagating gradients through stochastic
neurons" (2013): the gradient at the compressed weights is applied to the weights behind them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_KERNEL_AXES = 2


def trainable_kernels(model: Any) -> list[tuple[str, Any]]:
    """Return (layer name, variable) of every trainable kernel: weights of two axes or more."""
    return [
        (layer.name, variable)
        for layer in model.layers
        for variable in layer.trainable_weights
        if len(variable.shape) >= _KERNEL_AXES
    ]


def straight_through(model: Any, *, decay: float, most_codes: int) -> Any:
    """Return a `tf_keras.Model` around a classifier whose steps see its kernels masked and rounded to codebooks.

    Between steps the classifier holds the full weights. State that a resumed run needs (masks, codebooks, mean squared
    gradients) are variables of the model, so a checkpoint holds it.

    Args:
        model: Ends in probabilities; learns.
        decay: Of the running mean of squared gradients, a step.
        most_codes: Room for values in each codebook.
    """
    import tensorflow as tf
    import tf_keras

    class StraightThrough(tf_keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name=model.name)
            self.inner = model
            self.kernels = [kernel for _, kernel in trainable_kernels(model)]
            self.masks = [self._state(kernel.shape, "mask", tf.bool, value=True) for kernel in self.kernels]
            self.squares = [self._state(kernel.shape, "square") for kernel in self.kernels]
            # Unused places hold infinity: no weight is nearest to them. An all-infinite codebook is no codebook yet.
            self.codebooks = [self._state((most_codes,), "codes", value=np.inf) for _ in self.kernels]

        def _state(self, shape: Any, name: str, dtype: Any = tf.float32, value: Any = 0.0) -> Any:
            return self.add_weight(
                name=name, shape=shape, dtype=dtype, trainable=False, initializer=tf_keras.initializers.Constant(value)
            )

        def call(self, inputs: Any, training: Any = None) -> Any:
            return self.inner(inputs, training=training)

        def compressed(self) -> list[Any]:
            """Return the kernels as the loss sees them."""
            states = zip(self.kernels, self.masks, self.codebooks, strict=True)
            return [_compressed(*state) for state in states]

        def train_step(self, data: Any) -> dict[str, Any]:
            images, targets = data
            full = [tf.identity(kernel) for kernel in self.kernels]
            for kernel, value in zip(self.kernels, self.compressed(), strict=True):
                kernel.assign(value)
            with tf.GradientTape() as tape:
                answers = self.inner(images, training=True)
                loss = self.compute_loss(images, targets, answers)
            learnt = self.inner.trainable_variables
            gradients = tape.gradient(loss, learnt)
            for kernel, value in zip(self.kernels, full, strict=True):
                kernel.assign(value)
            found = {id(variable): gradient for variable, gradient in zip(learnt, gradients, strict=True)}
            for kernel, square in zip(self.kernels, self.squares, strict=True):
                square.assign(decay * square + (1 - decay) * tf.square(found[id(kernel)]))
            self.optimizer.apply_gradients(zip(gradients, learnt, strict=True))
            return {**self.compute_metrics(images, targets, answers, None), "loss": loss}

    return StraightThrough()


def _compressed(kernel: Any, mask: Any, codes: Any) -> Any:
    import tensorflow as tf

    coded = tf.gather(codes, tf.searchsorted((codes[1:] + codes[:-1]) / 2, tf.reshape(kernel, [-1])))
    value = tf.where(tf.math.is_finite(codes[0]), tf.reshape(coded, kernel.shape), kernel)
    return tf.where(mask, value, 0.0)


def saliencies(weights: list[NDArray[Any]], squares: list[NDArray[Any]]) -> NDArray[np.float64]:
    """Return w²·E[g²] of all weights, flat: the change of the loss when a weight is removed, by the empirical Fisher.

    Theis et al., "Faster gaze prediction with dense networks and Fisher pruning" (2018), eq. 12, without the cost term.
    """
    return np.concatenate(
        [
            np.square(w, dtype=np.float64).ravel() * np.asarray(g, np.float64).ravel()
            for w, g in zip(weights, squares, strict=True)
        ]
    )


def thinned(
    masks: list[NDArray[np.bool_]], weights: list[NDArray[Any]], squares: list[NDArray[Any]], kept: int
) -> list[NDArray[np.bool_]]:
    """Return masks that keep the most salient weights of all layers together; what is out stays out.

    Args:
        masks: True where a weight is still there.
        weights: The full weights.
        squares: Running mean of their squared gradients.
        kept: How many weights of all layers to keep.
    """
    there = np.concatenate([mask.ravel() for mask in masks])
    surplus = int(there.sum()) - kept
    if surplus <= 0:
        return masks
    scores = np.where(there, saliencies(weights, squares), np.inf)
    there[np.argpartition(scores, surplus - 1)[:surplus]] = False
    ends = np.cumsum([mask.size for mask in masks])[:-1]
    return [part.reshape(mask.shape) for part, mask in zip(np.split(there, ends), masks, strict=True)]
