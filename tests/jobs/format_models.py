"""Stages that make small models of every shape and head, in either Keras, as artifacts; they run in children."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.artifact import Artifact

if TYPE_CHECKING:
    from workbench.jobs import StageContext


def make(context: StageContext) -> str:
    """Write a seeded model, returns the artifact's folder.

    Settings: `model`, a name in `MODELS`; `library`, `keras` or `tf_keras`; `format`; `dataset`, the spec it is for.
    """
    asked = context.settings
    model = build(asked["model"], asked["library"])
    if asked.get("poison"):
        weights = model.get_weights()
        weights[0].flat[:3] = np.nan
        model.set_weights(weights)
    file = "model.h5" if asked["format"] == "h5" else "model.keras"
    model.save(context.result / file)
    return str(
        Artifact.write(
            context.result, file=file, name=asked["model"], format=asked["format"], numeric="float32",
            settings={"dataset": asked["dataset"]},
        ).folder
    )  # fmt: skip


def answer(context: StageContext) -> str:
    """Write what an artifact answers to the test samples of a dataset, returns the file."""
    from workbench.datasets import Dataset
    from workbench.evaluate.runtimes.base import open_runtime

    asked = context.settings
    data = Dataset.open_spec(asked["dataset"], context.workspace)
    file = context.result / "answers.npy"
    with open_runtime(Artifact.load(asked["artifact"]).verify(asked["sha256"])) as runtime:
        np.save(file, runtime.predict(data.floats("test")))
    return str(file)


def ask_with_bytes(context: StageContext) -> dict[str, Any]:
    """Give image files to a SavedModel's `serving_bytes`, and their pixels, where they fit, to `serving_default`."""
    import base64

    import tensorflow as tf

    files = [base64.b64decode(text) for text in context.settings["files"]]
    loaded = tf.saved_model.load(context.settings["path"])
    (_, inputs) = loaded.signatures["serving_default"].structured_input_signature
    height, width, channels = inputs["image"].shape[1:]
    pixels = [tf.image.resize(tf.io.decode_image(file, channels=channels), (height, width)) / 255.0 for file in files]
    ask = loaded.signatures["serving_bytes"]
    said: dict[str, Any] = {
        "signatures": sorted(loaded.signatures),
        "bytes": ask(image_bytes=tf.constant(files))["probabilities"].numpy().tolist(),
        "arrays": loaded.signatures["serving_default"](image=tf.stack(pixels))["probabilities"].numpy().tolist(),
    }
    try:
        ask(image_bytes=tf.constant([b"no image"]))
    except tf.errors.InvalidArgumentError as error:
        said["broken"] = str(error)
    return said


def build(name: str, library: str) -> Any:
    """Return a built model that is sure of its answers, its batch norms with other statistics than a new layer's."""
    import keras
    import tf_keras

    chosen = {"keras": keras, "tf_keras": tf_keras}[library]
    chosen.utils.set_random_seed(7)
    model = MODELS[name](chosen, chosen.layers)
    for layer in model.layers:
        if type(layer).__name__ == "BatchNormalization":
            layer.set_weights([np.abs(value + 0.1 * np.arange(value.size)) for value in layer.get_weights()])
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([8 * kernel, bias])
    return model


def _mlp(keras: Any, layers: Any) -> Any:
    return keras.Sequential(
        [keras.Input((12,)), layers.Dense(16, activation="relu"), layers.Dense(4, activation="softmax")]
    )


def _residual(keras: Any, layers: Any) -> Any:
    inputs = keras.Input((12, 12, 1))
    first = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same", use_bias=False)(inputs)))
    second = layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same")(first))
    pooled = layers.GlobalAveragePooling2D()(layers.Add()([first, second]))
    return keras.Model(inputs, layers.Dense(4, activation="softmax")(pooled))


def _depthwise(keras: Any, layers: Any) -> Any:
    return keras.Sequential(
        [
            keras.Input((12, 12, 1)), layers.DepthwiseConv2D(3, padding="same"), layers.BatchNormalization(),
            layers.ReLU(), layers.Conv2D(8, 1), layers.BatchNormalization(), layers.ReLU(6.0), layers.Flatten(),
            layers.Dense(4, activation="softmax"),
        ]
    )  # fmt: skip


def _conv1d(keras: Any, layers: Any) -> Any:
    return keras.Sequential(
        [
            keras.Input((10, 3)), layers.Conv1D(8, 3, padding="same", activation="relu"), layers.MaxPooling1D(2),
            layers.Conv1D(8, 3, padding="causal"), layers.GlobalAveragePooling1D(),
            layers.Dense(4, activation="softmax"),
        ]
    )  # fmt: skip


def _lstm(keras: Any, layers: Any) -> Any:
    return keras.Sequential([keras.Input((10, 3)), layers.LSTM(8), layers.Dense(4, activation="softmax")])


def _unrolled(keras: Any, layers: Any) -> Any:
    return keras.Sequential([keras.Input((10, 3)), layers.LSTM(8, unroll=True), layers.Dense(4, activation="softmax")])


def _gated(keras: Any, layers: Any) -> Any:
    return keras.Sequential([keras.Input((10, 3)), layers.GRU(8, name="memory"), layers.Dense(4, activation="softmax")])


def _groups(keras: Any, layers: Any) -> Any:
    normed = layers.GroupNormalization(2, name="groups")
    return keras.Sequential([keras.Input((10, 4)), normed, layers.Flatten(), layers.Dense(4, activation="softmax")])


def _attention(keras: Any, layers: Any) -> Any:
    inputs = keras.Input((10, 3))
    lifted = layers.Dense(8)(inputs)
    attended = layers.MultiHeadAttention(2, 4)(lifted, value=lifted)
    normed = layers.LayerNormalization()(layers.Add()([lifted, attended]))
    widened = layers.Dense(8)(layers.Dense(16, activation="gelu")(normed))
    pooled = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(layers.Add()([normed, widened])))
    return keras.Model(inputs, layers.Dense(4, activation="softmax")(pooled))


def _binary(keras: Any, layers: Any) -> Any:
    return keras.Sequential(
        [keras.Input((12,)), layers.Dense(16, activation="relu"), layers.Dense(1, activation="sigmoid")]
    )


def _logits(keras: Any, layers: Any) -> Any:
    return keras.Sequential(
        [keras.Input((12, 12, 1)), layers.Conv2D(4, 3, activation="relu"), layers.Flatten(), layers.Dense(4)]
    )


def _dropout(keras: Any, layers: Any) -> Any:
    return keras.Sequential(
        [
            keras.Input((12, 12, 1)), layers.Conv2D(8, 3, activation="relu"), layers.SpatialDropout2D(0.1),
            layers.Dropout(0.3), layers.GlobalAveragePooling2D(), layers.Dense(4, activation="softmax"),
        ]
    )  # fmt: skip


def _tokens(keras: Any, layers: Any) -> Any:
    return keras.Sequential(
        [
            keras.Input((12,), dtype="int32"), layers.Embedding(20, 8), layers.GlobalAveragePooling1D(),
            layers.Dense(4, activation="softmax"),
        ]
    )  # fmt: skip


MODELS = {
    "mlp": _mlp, "residual": _residual, "depthwise": _depthwise, "conv1d": _conv1d, "lstm": _lstm,
    "unrolled": _unrolled, "attention": _attention, "binary": _binary, "logits": _logits, "dropout": _dropout,
    "tokens": _tokens, "gated": _gated, "groups": _groups,
}  # fmt: skip
SHAPES = {
    **dict.fromkeys(("mlp", "binary", "tokens"), (12,)),
    **dict.fromkeys(("conv1d", "lstm", "unrolled", "attention", "gated"), (10, 3)),
    "groups": (10, 4),
    **dict.fromkeys(("residual", "depthwise", "logits", "dropout"), (12, 12, 1)),
}  # fmt: skip
