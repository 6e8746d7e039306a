"""Stages that make the models people ask about, as tfmot's tutorials and their users make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from workbench.jobs.stage import StageContext


def pruned(context: StageContext) -> dict[str, Any]:
    """Prune a small network to 80 % by tfmot's means, and save it as it is, stripped, and with its optimizer."""
    import tf_keras
    from tensorflow_model_optimization.sparsity import keras as sparsity

    draw = np.random.default_rng(0)
    inputs, labels = draw.random((64, 12, 12, 1), np.float32), draw.integers(0, 10, 64)
    layers = tf_keras.layers
    tf_keras.utils.set_random_seed(0)
    model = tf_keras.Sequential([
        layers.Input((12, 12, 1)), layers.Conv2D(16, 3, activation="relu", name="conv"), layers.Flatten(),
        layers.Dense(32, activation="relu", name="dense"), layers.Dense(10, activation="softmax", name="probabilities"),
    ])  # fmt: skip
    model.save(context.result / "plain.keras")
    schedule = {"pruning_schedule": sparsity.ConstantSparsity(0.8, 0, frequency=1)}
    wrapped, uncompiled = (sparsity.prune_low_magnitude(tf_keras.models.clone_model(model), **schedule) for _ in "ab")
    wrapped.compile("adam", "sparse_categorical_crossentropy")
    wrapped.fit(inputs, labels, 32, epochs=2, verbose=0, callbacks=[sparsity.UpdatePruningStep()])
    uncompiled.set_weights(wrapped.get_weights())
    uncompiled.save(context.result / "wrapped.keras")
    wrapped.save(context.result / "with_optimizer.keras")
    stripped = sparsity.strip_pruning(wrapped)
    bare = tf_keras.models.clone_model(stripped)
    bare.set_weights(stripped.get_weights())
    bare.save(context.result / "stripped.keras")
    stripped.compile("adam", "sparse_categorical_crossentropy")
    stripped.fit(inputs, labels, 32, epochs=1, verbose=0)
    stripped.save(context.result / "trained_on.keras")
    return {"folder": str(context.result)}
