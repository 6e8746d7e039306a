"""What the bytes of a model file are for."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.records.ledger import BytePart
from workbench.evaluate.packing import format_of
from workbench.evaluate.tensors.base import readers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workbench.core.artifact import Artifact
    from workbench.evaluate.tensors.base import StoredTensor

_LEARNING = ("optimizer", "metrics")
# What tfmot calls the layers that it wraps; their own variables lie beside those of the `layer` inside.
_WRAPPER = re.compile(r"(prune_low_magnitude|cluster_weights|quantize_wrapper|quant)(_|$)")
_QUANTIZING = re.compile(r"(quantize_wrapper|quant)(_|$)")
_OF_LAYERS = ("tf_keras", "keras", "h5", "saved_model")
_KERNEL_AXES = 2
_WEIGHTS = (np.float16, np.float32, np.float64, np.int8, np.uint8, np.int16)


@dataclass(frozen=True)
class Holdings:
    """The tensors of a model file by what they are for.

    Attributes:
        kernels: Weights of two axes or more.
        vectors: Biases, scales, batch-norm statistics; floats of fewer axes.
        integers: Shapes, paddings, int32 biases of quantised graphs.
        learning: Optimizer slots and metrics.
        wrappers: Masks, thresholds and steps of a compression library.
    """

    kernels: tuple[StoredTensor, ...]
    vectors: tuple[StoredTensor, ...]
    integers: tuple[StoredTensor, ...]
    learning: tuple[StoredTensor, ...]
    wrappers: tuple[StoredTensor, ...]

    @property
    def every(self) -> tuple[StoredTensor, ...]:
        """All tensors."""
        return self.kernels + self.vectors + self.integers + self.learning + self.wrappers

    @property
    def quantizing(self) -> bool:
        """Whether layers have the wrappers of quantization-aware training."""
        names = (part for each in self.wrappers for part in each.name.split("/"))
        return any(_QUANTIZING.match(part) for part in names)

    @property
    def zeros(self) -> int:
        """Zeros among the kernels' weights (zero points, where quantised)."""
        return sum(_zeros(each) for each in self.kernels)

    @property
    def zero_bytes(self) -> int:
        """Bytes that they take."""
        return sum(_zeros(each) * each.values.itemsize for each in self.kernels)

    @property
    def sparsity(self) -> float:
        """Share of them, in [0, 1]."""
        return self.zeros / max(1, elements(self.kernels))

    @property
    def negative_zeros(self) -> int:
        """Zeros among the kernels' weights whose sign is negative: another bit pattern than 0."""
        floats = [each.values for each in self.kernels if each.values.dtype.kind == "f"]
        return sum(int(np.count_nonzero((values == 0) & np.signbit(values))) for values in floats)


def holdings(artifact: Artifact) -> Holdings:
    """Read the tensors of a model file and sort them by purpose.

    Raises:
        BadInputError: Nothing here reads the format.
        MissingExtraError: A `.keras` file needs h5py, which the extra `train` brings.
    """
    groups: dict[str, list[StoredTensor]] = {
        name: [] for name in ("kernels", "vectors", "integers", "learning", "wrappers")
    }
    keras = _inside(artifact) in _OF_LAYERS
    for tensor in readers.get(artifact.format)().read(artifact.path):
        groups[_purpose(tensor, keras=keras)].append(tensor)
    return Holdings(**{name: tuple(found) for name, found in groups.items()})


def parts_of(artifact: Artifact, held: Holdings, raw: int) -> tuple[BytePart, ...]:
    """Return what the file's bytes are for; they add up to `raw`."""
    zeros = held.zero_bytes
    found = {
        "weights of kernels that are not zero": size(held.kernels) - zeros,
        "zeros in kernels": zeros,
        "biases, scales and statistics": size(held.vectors),
        "integers: shapes and biases of quantised layers": size(held.integers),
        "optimizer slots and metrics": size(held.learning),
        "masks and steps of compression wrappers": size(held.wrappers),
        **_structure(artifact),
    }
    rest = raw - sum(found.values())
    if rest < 0:  # tensors that share bytes, or that the format compresses
        found, rest = {"tensors, stored smaller than they are": raw}, 0
    found["container: structure, names, alignment"] = rest
    ordered = sorted(found.items(), key=lambda item: -item[1])
    return tuple(BytePart(purpose=purpose, bytes=count) for purpose, count in ordered if count)


def entropy_bytes(tensors: tuple[StoredTensor, ...]) -> int:
    """Return what tensors take when every value costs its own information, in bytes.

    That is the order-0 entropy of Shannon (1948, "A mathematical theory of communication"), Σ −log2(share of a value),
    of a tensor's values with the distinct ones listed once; or of where its most frequent value is and of the bytes
    of the others by significance, if that is less. A coder that knows of channels can go below.
    """
    return int(np.ceil(sum(_entropy(each) for each in tensors) / 8))


def _entropy(tensor: StoredTensor) -> float:
    width = tensor.values.itemsize
    words = np.ascontiguousarray(tensor.values).reshape(-1).view(f"u{width}")
    if not words.size:
        return 0.0
    book, counts = np.unique(words, return_counts=True)
    others = words[words != book[counts.argmax()]]
    places = _information(np.array([len(others), len(words) - len(others)]))
    options = [_information(counts) + 8 * width * len(book), _bytewise(words), places + _bytewise(others)]
    return min(options)


def _bytewise(words: NDArray[np.unsignedinteger]) -> float:
    planes = words.reshape(-1, 1).view(np.uint8).T
    return sum(_information(np.bincount(plane, minlength=1)) for plane in planes)


def _information(counts: NDArray[np.integer]) -> float:
    found = counts[counts > 0]
    return float((found * np.log2(found.sum() / found)).sum())


def size(tensors: tuple[StoredTensor, ...]) -> int:
    """Return the bytes of tensors."""
    return sum(each.values.nbytes for each in tensors)


def elements(tensors: tuple[StoredTensor, ...]) -> int:
    """Return how many values tensors have."""
    return sum(each.values.size for each in tensors)


def _inside(artifact: Artifact) -> str:
    return format_of(artifact.path.read_bytes()) if artifact.format == "packed" else artifact.format


def _purpose(tensor: StoredTensor, *, keras: bool) -> str:
    path = tensor.name.split("/")
    if path[0] in _LEARNING:
        return "learning"
    wrapper = next((place for place, part in enumerate(path) if _WRAPPER.match(part)), None)
    # Graphs keep the wrappers' names for what is left of them, which are the weights.
    if keras and wrapper is not None and "layer" not in path[wrapper:]:
        return "wrappers"
    if tensor.values.dtype.type not in _WEIGHTS:
        return "integers"
    return "kernels" if tensor.values.ndim >= _KERNEL_AXES else "vectors"


def _zeros(tensor: StoredTensor) -> int:
    return int(np.count_nonzero(tensor.values == tensor.zero))


def _structure(artifact: Artifact) -> dict[str, int]:
    if artifact.format == "tf_keras":
        with zipfile.ZipFile(artifact.path) as archive:
            texts = [each.compress_size for each in archive.infolist() if each.filename.endswith(".json")]
        return {"description of the layers (JSON)": sum(texts)}
    if artifact.format == "onnx":
        import onnx

        graph = onnx.load(artifact.path, load_external_data=False).graph
        constants = sum(len(each.t.raw_data) for node in graph.node for each in node.attribute)
        return {"graph: operators and their settings": sum(node.ByteSize() for node in graph.node) - constants}
    if artifact.format == "tflite":
        return {"scales and zero points": _quantization(artifact)}
    return {}


def _quantization(artifact: Artifact) -> int:
    from ai_edge_litert import schema_py_generated as schema

    model: Any = schema.Model.GetRootAs(artifact.path.read_bytes(), 0)
    total = 0
    for number in range(model.SubgraphsLength()):
        graph = model.Subgraphs(number)
        for index in range(graph.TensorsLength()):
            held = graph.Tensors(index).Quantization()
            if held is not None:
                total += 4 * held.ScaleLength() + 8 * held.ZeroPointLength()
    return total
