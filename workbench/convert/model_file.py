"""What a model file says of itself, read without loading the model.

A `.keras` archive holds its configuration as JSON, a legacy `.h5` as an attribute. Both can name code: a Lambda layer
carries Python bytecode, and a class or function of any module may be asked for.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from workbench.core.errors import BadInputError, UntrustedModelError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Kind = Literal["keras", "h5"]

_ZIP, _HDF5 = b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"
# Pickle protocols 2 to 5 start so; older ones are text, which is no model file anyway.
_PICKLES = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))
_WEIGHTS = "model.weights.h5"
_MEMBERS = {"metadata.json", "config.json", _WEIGHTS}
_LONGEST_JSON = 64 * 2**20
# What the parsers of ZIP, HDF5 and JSON raise; RecursionError is a RuntimeError.
_DAMAGE = (zipfile.BadZipFile, zlib.error, LookupError, TypeError, ValueError, EOFError, OSError, RuntimeError)
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


@dataclass(frozen=True)
class ModelFile:
    """The description in a model file.

    Attributes:
        kind: `keras` (archive) or `h5`.
        version: Version of the Keras that wrote it; `3.…` is not tf_keras.
        config: The model's configuration.
    """

    kind: Kind
    version: str
    config: dict[str, Any]


def kind_of(path: Path) -> Kind:
    """Tell the kind of a model file from its first bytes; its name plays no part.

    Raises:
        BadInputError: It is missing, empty, or something else.
        UntrustedModelError: It is a pickle.
    """
    if not path.is_file():
        raise BadInputError.of("path", rule="must be a .keras or .h5 file", got=str(path))
    with path.open("rb") as file:
        start = file.read(8)
    if not start:
        raise BadInputError.of("path", rule="must be a model file, not an empty one", got=str(path))
    if start.startswith(_ZIP):
        return "keras"
    if start == _HDF5:
        return "h5"
    if start.startswith(_PICKLES):
        raise UntrustedModelError(
            f"{path} is a pickle, which runs code of its own when it is loaded; save the model as .keras instead."
        )
    raise BadInputError.of(
        "path", rule="must be a .keras or .h5 file", got=f"{path} that starts with {start!r}",
        hint="save the model with model.save('model.keras')",
    )  # fmt: skip


def read_description(path: Path) -> ModelFile:
    """Read what a model file says of itself.

    Raises:
        BadInputError: The file is truncated or no model file.
        UntrustedModelError: An archive holds something besides a model, or its weights lie in other files.
    """
    kind = kind_of(path)
    return _read_archive(path) if kind == "keras" else _read_h5(path)


def require_harmless(description: ModelFile, path: Path) -> None:
    """Refuse a model that asks for anything but layers and functions of Keras that only calculate.

    Raises:
        UntrustedModelError: Naming the layer or class.
    """
    reason = next(filter(None, map(_suspicion, _objects_in(description.config))), None)
    if reason is not None:
        raise UntrustedModelError(
            f"{path} {reason}, which can run code that came with the file; if you know who made it, "
            "adopt it with trust=True."
        )


def _read_archive(path: Path) -> ModelFile:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name for name in archive.namelist() if not name.startswith("assets/")}
            if odd := sorted(names - _MEMBERS):
                raise UntrustedModelError(f"{path} holds {odd[0]}, which no .keras file has; save the model anew.")
            if _WEIGHTS in names:
                with archive.open(_WEIGHTS) as weights, _hdf5(weights) as file:
                    _require_own_values(file, path)
            texts = {name: _small(archive, name) for name in ("metadata.json", "config.json")}
        metadata, config = (json.loads(texts[name]) for name in ("metadata.json", "config.json"))
        return ModelFile("keras", str(metadata["keras_version"]), dict(config))
    except _DAMAGE as error:
        raise _broken(path, error) from error


def _small(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > _LONGEST_JSON:
        raise ValueError(f"{name} claims {archive.getinfo(name).file_size} bytes")
    return archive.read(name)


def _read_h5(path: Path) -> ModelFile:
    try:
        with _hdf5(path) as file:
            _require_own_values(file, path)
            config = json.loads(file.attrs["model_config"])
            version = file.attrs.get("keras_version", "2")
        return ModelFile("h5", version.decode() if isinstance(version, bytes) else str(version), dict(config))
    except _DAMAGE as error:
        raise _broken(path, error) from error


def _hdf5(source: Any) -> Any:
    import h5py

    return h5py.File(source, "r")


def _require_own_values(file: Any, path: Path) -> None:
    """Refuse an HDF5 file whose groups and datasets are not all stored in it: HDF5 can point at any file."""
    import h5py

    groups, seen = [file], set()
    while groups:
        group = groups.pop()
        for name in group:
            where = f"{group.name.rstrip('/')}/{name}"
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise UntrustedModelError(f"{path} has a link ({where}) to what is elsewhere; save the model anew.")
            held = group[name]
            if isinstance(held, h5py.Dataset) and (held.external or held.is_virtual):
                raise UntrustedModelError(f"{path} keeps values ({where}) in another file; save the model anew.")
            # Hard links may lead in circles.
            if isinstance(held, h5py.Group) and (address := h5py.h5o.get_info(held.id).addr) not in seen:
                seen.add(address)
                groups.append(held)


def _broken(path: Path, error: Exception) -> BadInputError:
    reason = " ".join(str(error.args[0] if error.args else error).split())
    return BadInputError.of(
        "path", rule="must be a whole Keras model file", got=f"{path} ({path.stat().st_size} bytes: {reason})",
        hint="it may be truncated; copy or save it again",
    )  # fmt: skip


def _objects_in(config: Any) -> Iterator[dict[str, Any]]:
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
