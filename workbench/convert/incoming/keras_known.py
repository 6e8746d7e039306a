"""What the configuration of a Keras model asks for: layers and functions that only calculate, or more."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError, UntrustedModelError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ROOTS = ("keras", "tf_keras", "tensorflow.keras")
# Where Keras writes its own modules' names in place of the public ones.
_INSIDES = {
    "src.engine.functional": "models", "src.engine.sequential": "models", "src.models.functional": "models",
    "src.models.sequential": "models", "": "models", "dtype_policies": "policies", "mixed_precision": "policies",
}  # fmt: skip
# All that a file may ask for, by the module of Keras it is in. What is not here can do more than arithmetic
# (`TFOpLambda` calls any function of TensorFlow, a vocabulary is a file's name), or nobody has looked at it.
_KNOWN = {
    "models": ("Sequential", "Functional", "Model", "DTypePolicy"),
    "layers": (
        "Activation", "ActivityRegularization", "Add", "AdditiveAttention", "AlphaDropout", "Attention", "Average",
        "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "BatchNormalization", "Bidirectional",
        "CenterCrop", "Concatenate", "Conv1D", "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Conv3D",
        "Conv3DTranspose", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "Cropping1D", "Cropping2D", "Cropping3D", "Dense",
        "DepthwiseConv1D", "DepthwiseConv2D", "Dot", "Dropout", "ELU", "EinsumDense", "Embedding", "Flatten", "GRU",
        "GRUCell", "GaussianDropout", "GaussianNoise", "GlobalAveragePooling1D", "GlobalAveragePooling2D",
        "GlobalAveragePooling3D", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D",
        "GroupNormalization", "Identity", "InputLayer", "LSTM", "LSTMCell", "LayerNormalization", "LeakyReLU",
        "LocallyConnected1D", "LocallyConnected2D", "Masking", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
        "Maximum", "Minimum", "MultiHeadAttention", "Multiply", "Normalization", "PReLU", "Permute",
        "RMSNormalization", "RNN", "RandomBrightness", "RandomContrast", "RandomCrop", "RandomFlip", "RandomRotation",
        "RandomTranslation", "RandomZoom", "ReLU", "RepeatVector", "Rescaling", "Reshape", "Resizing",
        "SeparableConv1D", "SeparableConv2D", "SimpleRNN", "SimpleRNNCell", "Softmax", "SpatialDropout1D",
        "SpatialDropout2D", "SpatialDropout3D", "SpectralNormalization", "StackedRNNCells", "Subtract",
        "ThresholdedReLU", "TimeDistributed", "UnitNormalization", "UpSampling1D", "UpSampling2D", "UpSampling3D",
        "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D",
    ),
    "initializers": (
        "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity", "IdentityInitializer",
        "LecunNormal", "LecunUniform", "Ones", "Orthogonal", "OrthogonalInitializer", "RandomNormal", "RandomUniform",
        "TruncatedNormal", "VarianceScaling", "Zeros",
    ),
    "regularizers": ("L1", "L1L2", "L2", "OrthogonalRegularizer"),
    "constraints": ("MaxNorm", "MinMaxNorm", "NonNeg", "RadialConstraint", "UnitNorm"),
    "policies": ("DTypePolicy", "FloatDTypePolicy", "Policy"),
    "optimizers": (
        "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lion", "Nadam", "RMSprop", "SGD",
    ),
    "optimizers.schedules": (
        "CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay", "PiecewiseConstantDecay",
        "PolynomialDecay",
    ),
    "losses": (
        "BinaryCrossentropy", "CategoricalCrossentropy", "CategoricalFocalCrossentropy", "Hinge", "Huber",
        "KLDivergence", "LogCosh", "MeanAbsoluteError", "MeanSquaredError", "SparseCategoricalCrossentropy",
    ),
    "metrics": (
        "AUC", "Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "CategoricalCrossentropy", "F1Score",
        "MeanAbsoluteError", "MeanSquaredError", "Precision", "Recall", "SparseCategoricalAccuracy",
        "SparseCategoricalCrossentropy", "SparseTopKCategoricalAccuracy", "TopKCategoricalAccuracy",
    ),
}  # fmt: skip
_ACTIVATIONS = (
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh",
    "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu",
    "soft_shrink", "softmax", "softplus", "softsign", "squareplus", "swish", "tanh", "tanh_shrink", "threshold",
)  # fmt: skip
# Values, not classes.
_DATA = ("__bytes__", "__keras_tensor__", "__numpy__", "__tensor__", "__tuple__")


def require_harmless(config: dict[str, Any], path: Path) -> None:
    """Refuse a model that asks for anything but layers and functions of Keras that only calculate.

    Raises:
        UntrustedModelError: Naming the layer or class.
    """
    for value in objects_in(config):
        reason = _suspicion(value)
        if reason is None:
            continue
        if _is_custom(value):
            raise UntrustedModelError(_without_code(path, reason))
        raise UntrustedModelError(
            f"{path} {reason}, which can run code that came with the file; if you know who made it, "
            "adopt it with trust=True."
        )


def require_code(config: dict[str, Any], path: Path) -> None:
    """Refuse a model with a class that is not Keras' own: a file never holds its code, whoever vouches for it.

    Raises:
        BadInputError: Naming the layer or class.
    """
    for value in objects_in(config):
        if _is_custom(value):
            raise BadInputError(_without_code(path, f"asks for {_full_name(value)}"))


def _without_code(path: Path, reason: str) -> str:
    return (
        f"{path} {reason}, a custom class whose code is not in it; where that code is, write the model with "
        "model.export as a SavedModel or as ONNX, and adopt that."
    )


def objects_in(config: Any) -> Iterator[dict[str, Any]]:
    """Give every mapping of a configuration; no recursion, for it may be as deep as its maker liked."""
    waiting = deque([config])
    while waiting:
        value = waiting.popleft()
        if isinstance(value, dict):
            yield value
        if isinstance(value, (dict, list)):
            waiting.extend(value.values() if isinstance(value, dict) else value)


def _suspicion(value: dict[str, Any]) -> str | None:
    """Say what a mapping of a configuration asks for besides Keras' arithmetic."""
    name, inner = value.get("class_name"), value.get("config")
    if name in ("Lambda", "__lambda__") or value.get("function_type") == "lambda":
        label = inner.get("name") if isinstance(inner, dict) else None
        return f"has a Lambda layer ({label})" if label else "has a Lambda"
    if "class_name" in value and not (_known_function(value) if name == "function" else _known_class(value)):
        return f"asks for {_full_name(value)}"
    for key, each in value.items():
        # Layers look for a function by this name.
        named = isinstance(each, str) and (key == "activation" or key.endswith("_activation"))
        if named and each not in _ACTIVATIONS:
            return f"asks for an activation {each}"
    return None


def _is_custom(value: dict[str, Any]) -> bool:
    """Say whether a mapping names a class of somebody's own: registered as such, or of a module that is not Keras'."""
    registered, module = value.get("registered_name"), value.get("module")
    if value.get("class_name") in ("function", "Lambda", "__lambda__", *_DATA) or "class_name" not in value:
        return False
    if module is None:  # that Keras had to register it is how it says that the class is not its own
        return isinstance(registered, str) and not _known_class(value)
    return not str(module).startswith((*_ROOTS, "builtins")) or (isinstance(registered, str) and ">" in registered)


def _full_name(value: dict[str, Any]) -> str:
    name, inner = value["class_name"], value.get("config")
    if name == "function":
        return f"{value.get('module')}.{inner} ({value.get('registered_name')})"
    label = inner.get("name") if isinstance(inner, dict) else None
    place = value.get("module") or value.get("registered_name")
    # Legacy files name a class only.
    shown = f"{place}.{name}" if place else str(name)
    return f"{shown} ({label})" if label else shown


def _known_function(value: dict[str, Any]) -> bool:
    name = value.get("config")
    places = ("builtins", *(f"{root}.activations" for root in _ROOTS))
    # Keras takes the registered name where it knows one.
    unforged = value.get("registered_name") in (None, "function", name)
    return name in _ACTIVATIONS and value.get("module") in places and unforged


def _known_class(value: dict[str, Any]) -> bool:
    name, module, registered = value["class_name"], value.get("module"), value.get("registered_name")
    if not isinstance(name, str) or registered not in (None, name):
        return False
    if module is None:  # legacy files name classes only, and only Keras' own are found by name
        return name in _DATA or any(name in names for names in _KNOWN.values())
    root = next((each for each in _ROOTS if module == each or str(module).startswith(f"{each}.")), None)
    if root is None:
        return False
    place = module[len(root) + 1 :]
    return name in _KNOWN.get(_INSIDES.get(place, place), ())
