"""Stages that tests of compression send through the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from workbench.jobs import StageContext


def distillation_loss(context: StageContext) -> list[float]:
    """Return the loss of given teacher, student and labels, at each weight that is asked for, then of labels alone."""
    from workbench.compress.distillation import Distillation
    from workbench.train.settings import LearningSettings

    asked = context.settings
    labels, teacher, student = (np.asarray(asked[name], np.float32) for name in ("labels", "teacher", "student"))
    losses = []
    for weight in asked["weights"]:
        loss = Distillation(None, weight, asked["temperature"]).loss(LearningSettings())
        losses.append(float(loss(np.concatenate([labels, teacher], axis=-1), student)))
    return [*losses, float(loss(labels, student))]


def keep_what_missed_its_level(context: StageContext) -> str:
    """Write a model whose zeros are fewer than the level that its facts tell; returns the folder."""
    from workbench.compress.magnitude_pruning import MagnitudePruning
    from workbench.compress.reached import kernels_of
    from workbench.core.artifact import Artifact
    from workbench.datasets import Dataset
    from workbench.evaluate.runtimes.tf_keras import load_model

    artifact = Artifact.load(context.settings["artifact"])
    data = Dataset.open_spec(context.settings["dataset"], context.workspace)
    model = load_model(artifact)
    facts = {"levels": {"dense": 0.5}, "prunable": {"dense": [576 * 64]}}
    return str(MagnitudePruning().keep(model, kernels_of(model), artifact, data, context, facts=facts).folder)


def write_odd_models(context: StageContext) -> dict[str, str]:
    """Write models that some method cannot take; returns their paths by name."""
    import tf_keras

    layers = tf_keras.layers
    tf_keras.utils.set_random_seed(0)
    image = layers.Input((28, 28, 1), name="image")
    flat = layers.Flatten()(image)
    means = layers.AveragePooling1D(78, strides=78)(layers.Reshape((784, 1))(flat))
    noisy = layers.Dense(10, activation="softmax", name="classes")(layers.UnitNormalization(name="unit")(flat))
    models = {
        "nothing_to_learn": tf_keras.Model(image, layers.Softmax()(layers.Flatten()(means))),
        "not_quantizable": tf_keras.Model(image, noisy),
    }
    for name, model in models.items():
        model.save(context.result / f"{name}.keras")
    return {name: str(context.result / f"{name}.keras") for name in models}


def write_depthwise(context: StageContext) -> str:
    """Train a small functional depthwise CNN with batch norm on digits a little; returns the path of its file."""
    import tf_keras

    from workbench.datasets import load_dataset

    layers = tf_keras.layers
    tf_keras.utils.set_random_seed(0)
    image = layers.Input((28, 28, 1), name="image")
    x = layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False, name="stem")(image)
    x = layers.ReLU()(layers.BatchNormalization(name="stem_norm")(x))
    x = layers.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False, name="depthwise")(x)
    x = layers.ReLU()(layers.BatchNormalization(name="depthwise_norm")(x))
    x = layers.Conv2D(32, 1, use_bias=False, name="pointwise")(x)
    x = layers.ReLU()(layers.BatchNormalization(name="pointwise_norm")(x))
    x = layers.Dense(32, activation="relu", name="hidden")(layers.Flatten()(x))
    model = tf_keras.Model(image, layers.Dense(10, activation="softmax", name="classes")(x), name="depthwise_cnn")
    data = load_dataset("digits", workspace=context.workspace)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(data.floats("train", slice(None)), data.labels("train", slice(None)), batch_size=32, epochs=10, verbose=0)
    model.save(context.result / "depthwise.keras")
    return str(context.result / "depthwise.keras")
