"""A Keras 3 model rebuilt as its tf_keras twin: same layers, same weights, same answers."""

from __future__ import annotations

import inspect
from typing import Any

from workbench.core.errors import BadInputError

# Layers whose configuration and weights mean the same in both.
LAYERS = (
    "Activation", "AveragePooling2D", "BatchNormalization", "Conv1D", "Conv2D", "Dense", "DepthwiseConv2D", "Dropout",
    "Flatten", "GlobalAveragePooling2D", "GlobalMaxPooling2D", "LayerNormalization", "LeakyReLU", "MaxPooling2D",
    "Permute", "ReLU", "Rescaling", "Reshape", "SeparableConv2D", "Softmax", "ZeroPadding2D",
)  # fmt: skip
# How a layer starts and is held while it learns; the twin has its weights already.
_LEARNING = ("_initializer", "_regularizer", "_constraint")


def twin_of(model: Any) -> Any:
    """Return a built tf_keras model with the layers and weights of a Keras 3 Sequential.

    Args:
        model: A live Keras 3 model with known input shape.

    Raises:
        BadInputError: It is no Sequential, its input shape is open, or a layer has no twin; the layer is named.
    """
    import keras
    import tf_keras

    if not isinstance(model, keras.Sequential):
        raise BadInputError.of(
            "model",
            rule="must be a Sequential to be rebuilt from Keras 3",
            got=f"{type(model).__name__} {model.name}",
            hint="save it with tf_keras instead",
        )
    if not model.built:
        raise BadInputError.of("model", rule="must have an input shape", got=model.name, hint="add keras.Input first")
    pairs = [(layer, _layer(layer)) for layer in model.layers]
    inputs = tf_keras.layers.Input(shape=model.input_shape[1:], dtype=model.inputs[0].dtype)
    twin = tf_keras.Sequential([inputs, *(layer for _, layer in pairs)], name=model.name)
    for old, new in pairs:
        new.set_weights(old.get_weights())
    return twin


def _layer(layer: Any) -> Any:
    import tf_keras

    kind = type(layer).__name__
    if kind not in LAYERS or not type(layer).__module__.startswith("keras."):
        raise _no_twin(layer, "this kind of layer cannot be rebuilt yet")
    if layer.compute_dtype != "float32":
        raise _no_twin(layer, f"it computes in {layer.compute_dtype}, not float32")
    unit = getattr(tf_keras.layers, kind)
    accepted = {*inspect.signature(unit.__init__).parameters, "name", "trainable"} - {"self", "kwargs"}
    defaults = inspect.signature(type(layer).__init__).parameters
    config = {}
    for key, value in layer.get_config().items():
        if key == "dtype" or key.endswith(_LEARNING):
            continue
        if isinstance(value, dict):
            raise _no_twin(layer, f"its {key} is a class of its own")
        if key in accepted:
            config[key] = value
        elif key not in defaults or value != defaults[key].default:
            raise _no_twin(layer, f"tf_keras knows no {key}={value!r}")
    return unit(**config)


def _no_twin(layer: Any, reason: str) -> BadInputError:
    return BadInputError(
        f"layer {layer.name} ({type(layer).__name__}) has no tf_keras twin: {reason}; "
        "save the model with tf_keras instead."
    )
