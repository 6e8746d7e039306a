"""One layer of Keras 3 as a layer of tf_keras, and back."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterable

# Layers whose configuration and weights mean the same in both.
LAYERS = (
    "Activation", "Add", "Attention", "Average", "AveragePooling1D", "AveragePooling2D", "BatchNormalization",
    "Concatenate", "Conv1D", "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Cropping1D", "Cropping2D", "Dense",
    "DepthwiseConv1D", "DepthwiseConv2D", "Dropout", "ELU", "Embedding", "Flatten", "GaussianDropout",
    "GRU", "GaussianNoise", "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "LSTM", "LayerNormalization", "LeakyReLU", "MaxPooling1D", "MaxPooling2D", "Maximum", "Minimum",
    "MultiHeadAttention", "Multiply", "Permute", "ReLU", "RepeatVector", "Rescaling", "Reshape", "SeparableConv1D",
    "SeparableConv2D", "SimpleRNN", "Softmax", "SpatialDropout1D", "SpatialDropout2D", "Subtract", "UpSampling1D",
    "UpSampling2D", "ZeroPadding1D", "ZeroPadding2D",
)  # fmt: skip
# How a layer starts and is held while it learns, and what its input was; the twin has its weights already.
_LEARNING = ("_initializer", "_regularizer", "_constraint")
_ELSEWHERE = (
    "dtype", "batch_input_shape", "trainable", "query_shape", "key_shape", "value_shape", "implementation", "seed",
)  # fmt: skip
# Written down for layers that have no such setting any more, or never had.
_MEANINGLESS = {
    "groups": 1,
    "rms_scaling": False,
    "time_major": False,
    "zero_output_for_mask": False,
    "data_format": "channels_last",
}
_RENAMED = {
    ("LeakyReLU", "negative_slope", "tf_keras"): "alpha",
    ("LeakyReLU", "alpha", "keras"): "negative_slope",
}


def without_twin(kinds: Iterable[str]) -> str:
    """Return the first kind of layer that cannot be rebuilt; nothing where all can, as far as their kind tells."""
    return next((kind for kind in kinds if kind not in (*LAYERS, "InputLayer")), "")


def same_layer(layer: Any, library: Any) -> Any:
    """Return a new layer of `library`, `keras` or `tf_keras`, that calculates as a layer of the other one does.

    Raises:
        BadInputError: There is none; the layer and the reason are named.
    """
    kind, target = type(layer).__name__, library.__name__
    if kind not in LAYERS or type(layer).__module__.split(".")[0] not in ("keras", "tf_keras"):
        raise _no_twin(layer, target, "this kind of layer cannot be rebuilt yet")
    if layer.compute_dtype != "float32":
        raise _no_twin(layer, target, f"it computes in {layer.compute_dtype}, not float32")
    unit = getattr(library.layers, kind)
    accepted = {*inspect.signature(unit.__init__).parameters, "name"} - {"self", "kwargs"}
    defaults = inspect.signature(type(layer).__init__).parameters
    config = {}
    for key, stored in layer.get_config().items():
        if key in _ELSEWHERE or key.endswith(_LEARNING):
            continue
        value, name = _plain(key, stored), _RENAMED.get((kind, key, target), key)
        if isinstance(value, dict):
            raise _no_twin(layer, target, f"its {key} is a class of its own")
        if name in accepted:
            config[name] = value
        elif value not in (defaults[key].default if key in defaults else None, _MEANINGLESS.get(key)):
            raise _no_twin(layer, target, f"{target} knows no {key}={value!r}")
    # Named, each layer has a policy of its own: one that is shared is written with its address in memory, so that the
    # same model would never have the same bytes.
    twin = unit(**config, dtype="float32")
    twin.trainable = layer.trainable
    return twin


def _plain(key: str, value: Any) -> Any:
    """Return a value as JSON would hold it; one axis comes as a number from the one Keras, as a list from the other."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if key == "axis" and isinstance(value, (list, tuple)) and len(value) == 1:
        return int(value[0])
    return list(value) if type(value).__name__ == "ListWrapper" else value


def _no_twin(layer: Any, target: str, reason: str) -> BadInputError:
    hint = "; save the model with tf_keras instead" if target == "tf_keras" else ""
    return BadInputError(f"layer {layer.name} ({type(layer).__name__}) has no {target} twin: {reason}{hint}.")
