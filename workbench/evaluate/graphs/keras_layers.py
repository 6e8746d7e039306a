"""What the layers of Keras calculate; tf_keras and Keras 3 write the same classes and settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.evaluate.graphs.base import Operation
from workbench.evaluate.graphs.keras_layer import Layer, activated, activation_of, bias_of, one_weight, weight_of
from workbench.evaluate.graphs.keras_windows import conv, conv_transpose, depthwise, pool, separable
from workbench.evaluate.graphs.kinds import rounded

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from workbench.evaluate.graphs.keras_weights import Held

_SIMPLE = {
    "Add": "add", "Subtract": "subtract", "Multiply": "multiply", "Average": "average", "Maximum": "maximum",
    "Minimum": "minimum", "Concatenate": "concat", "Flatten": "reshape", "Reshape": "reshape", "Permute": "transpose",
    "Dropout": "dropout", "SpatialDropout1D": "dropout", "SpatialDropout2D": "dropout", "GaussianNoise": "dropout",
    "GaussianDropout": "dropout", "AlphaDropout": "dropout", "GlobalAveragePooling1D": "global_average_pool",
    "GlobalAveragePooling2D": "global_average_pool", "GlobalMaxPooling1D": "global_max_pool",
    "GlobalMaxPooling2D": "global_max_pool", "UpSampling1D": "resize", "UpSampling2D": "resize", "Resizing": "resize",
    "ZeroPadding1D": "pad", "ZeroPadding2D": "pad", "Cropping1D": "slice", "Cropping2D": "slice", "Dot": "matmul",
    "RepeatVector": "repeat", "Identity": "identity", "QuantizeLayer": "quantize", "Attention": "attention",
}  # fmt: skip
_RANKS = ("1D", "2D", "3D")


def operations(layer: Layer) -> tuple[Operation, ...]:
    """Say what a layer calculates; one that is not known is of kind `other`, with its weights."""
    if layer.kind in _SIMPLE:
        return (Operation(_SIMPLE[layer.kind]),)
    known = _BUILDERS.get(layer.kind.rstrip("123D") if layer.kind[-2:] in _RANKS else layer.kind)
    if known is not None:
        return known(layer)
    return (Operation("other", {}, tuple(weight_of(each, "value") for each in layer.held)),)


def _dense(layer: Layer) -> tuple[Operation, ...]:
    found = Operation("dense", {}, one_weight(layer.held, 0, "kernel", np.transpose))
    return (found, *bias_of(layer, 1), *activation_of(layer.config.get("activation")))


def _batch_norm(layer: Layer) -> tuple[Operation, ...]:
    roles = [
        role
        for role, there in (("gamma", layer.config.get("scale", True)), ("beta", layer.config.get("center", True)))
        if there
    ]
    named = zip(layer.held, [*roles, "mean", "variance"], strict=False)
    weights = tuple(weight_of(held, role) for held, role in named)
    return (Operation("batch_norm", {"epsilon": rounded(layer.config.get("epsilon", 1e-3))}, weights),)


def _layer_norm(layer: Layer) -> tuple[Operation, ...]:
    weights = tuple(weight_of(held, role) for held, role in zip(layer.held, ("gamma", "beta"), strict=False))
    kind = "group_norm" if layer.kind.startswith("Group") else "layer_norm"
    return (Operation(kind, {"epsilon": rounded(layer.config.get("epsilon", 1e-3))}, weights),)


def _activation_layer(layer: Layer) -> tuple[Operation, ...]:
    return activation_of(layer.config.get("activation")) or (Operation("identity"),)


def _relu(layer: Layer) -> tuple[Operation, ...]:
    most, slope = layer.config.get("max_value"), layer.config.get("negative_slope") or 0.0
    if slope:
        return (Operation("leaky_relu", {"alpha": rounded(slope)}),)
    if layer.config.get("threshold"):
        return (Operation("other"),)
    return (Operation("relu"),) if most is None else (Operation("relu6" if most == 6 else "clip"),)  # noqa: PLR2004


def _leaky_relu(layer: Layer) -> tuple[Operation, ...]:
    slope = layer.config.get("alpha", layer.config.get("negative_slope", 0.3))
    return (Operation("leaky_relu", {"alpha": rounded(float(np.asarray(slope)))}),)


def _elu(layer: Layer) -> tuple[Operation, ...]:
    return (Operation("elu", {"alpha": rounded(float(layer.config.get("alpha", 1.0)))}),)


def _prelu(layer: Layer) -> tuple[Operation, ...]:
    return (Operation("prelu", {}, one_weight(layer.held, 0, "alpha", np.ravel)),)


def _softmax(layer: Layer) -> tuple[Operation, ...]:
    return (Operation("softmax", {"axis": layer.config.get("axis", -1)}),)


def _rescaling(layer: Layer) -> tuple[Operation, ...]:
    del layer
    return (Operation("multiply"), Operation("add"))


def _embedding(layer: Layer) -> tuple[Operation, ...]:
    return (Operation("embedding", {}, tuple(weight_of(each, "kernel") for each in layer.held[:1])),)


def _recurrent(layer: Layer) -> tuple[Operation, ...]:
    kind = {"LSTM": "lstm", "GRU": "gru"}.get(layer.kind, "rnn")
    roles = ("kernel", "recurrent_kernel", "bias")
    weights = tuple(
        weight_of(held, role, np.ravel if role == "bias" else np.transpose)
        for held, role in zip(layer.held, roles, strict=False)
    )
    return (Operation(kind, {"units": int(layer.config.get("units", 0))}, weights),)


def _bidirectional(layer: Layer) -> tuple[Operation, ...]:
    inner, half = layer.config["layer"], len(layer.held) // 2
    return tuple(
        operation
        for held in (layer.held[:half], layer.held[half:])
        for operation in operations(Layer(inner["class_name"], inner["config"], held, layer.given))
    )


def _attention(layer: Layer) -> tuple[Operation, ...]:
    """Read the four projections of multi-head attention as the dense layers that they are, heads side by side."""
    biased = bool(layer.config.get("use_bias", True))
    each = 2 if biased else 1
    parts = [layer.held[start : start + each] for start in range(0, 4 * each, each)]
    query, key, value, output = (_projection(part, last=number == 3) for number, part in enumerate(parts))  # noqa: PLR2004
    attend = (Operation("matmul"), activated("softmax"))
    return (*query, *key, *attend, *value, Operation("matmul"), *output)


def _projection(held: list[Held], *, last: bool) -> tuple[Operation, ...]:
    def flat(values: NDArray[Any]) -> NDArray[Any]:
        return (values.reshape(-1, values.shape[-1]) if last else values.reshape(values.shape[0], -1)).T

    found = Operation("dense", {}, one_weight(held, 0, "kernel", flat))
    return (found, *(Operation("bias", {}, (weight_of(each, "bias", np.ravel),)) for each in held[1:]))


def _wrapped(layer: Layer) -> tuple[Operation, ...]:
    """Read the layer inside; a quantize wrapper holds its kernels, and ranges of its own."""
    inner = layer.config["layer"]
    held = layer.held
    if layer.kind.startswith("QuantizeWrapper"):
        own = [each for each in held if each.path.startswith("layer/") or each.path.endswith("bias:0")]
        held = [*(each for each in held if each.values.ndim > 1 and each not in own), *own]
    return operations(Layer(inner["class_name"], inner["config"], held, layer.given))


_BUILDERS: dict[str, Callable[[Layer], tuple[Operation, ...]]] = {
    "Conv": conv, "DepthwiseConv": depthwise, "SeparableConv": separable, "Conv1DTranspose": conv_transpose,
    "Conv2DTranspose": conv_transpose, "Conv3DTranspose": conv_transpose, "Dense": _dense,
    "BatchNormalization": _batch_norm, "LayerNormalization": _layer_norm, "GroupNormalization": _layer_norm,
    "MaxPooling": pool("max_pool"), "AveragePooling": pool("average_pool"), "Activation": _activation_layer,
    "ReLU": _relu, "LeakyReLU": _leaky_relu, "ELU": _elu, "PReLU": _prelu, "Softmax": _softmax,
    "Rescaling": _rescaling, "Embedding": _embedding, "LSTM": _recurrent, "GRU": _recurrent, "SimpleRNN": _recurrent,
    "Bidirectional": _bidirectional, "MultiHeadAttention": _attention, "QuantizeWrapper": _wrapped,
    "QuantizeWrapperV2": _wrapped, "TimeDistributed": _wrapped,
}  # fmt: skip
