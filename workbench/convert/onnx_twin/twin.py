"""From an ONNX model to its tf_keras twin, node by node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.convert.onnx_twin.convolution import convolution
from workbench.convert.onnx_twin.dense import dense
from workbench.convert.onnx_twin.elementwise import (
    MERGING,
    SCALING,
    activation,
    concatenated,
    merged,
    normalised,
    scaled,
    softmax,
)
from workbench.convert.onnx_twin.graph import BATCH, FOLDED, Graph, Node
from workbench.convert.onnx_twin.layers import Layers
from workbench.convert.onnx_twin.padding import pad
from workbench.convert.onnx_twin.pooling import pool, pool_whole
from workbench.convert.onnx_twin.regrouping import flattened, reshaped, same, squeezed, transposed, unsqueezed
from workbench.convert.onnx_twin.shapes import plain
from workbench.convert.onnx_twin.steps import Step, step_from
from workbench.convert.onnx_twin.value import Value
from workbench.core.errors import BadInputError
from workbench.datasets.kinds import input_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_LONGEST_REASON = 200
_QUANTIZED = ("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear")
_KERNELS = {"Conv": convolution, "MatMul": dense, "Gemm": dense}
_SIMPLE: dict[str, Callable[[Node, Value, Graph, Layers], Value]] = {
    "AveragePool": pool, "MaxPool": pool, "GlobalAveragePool": pool_whole, "GlobalMaxPool": pool_whole,
    "ReduceMean": pool_whole, "ReduceMax": pool_whole, "Pad": pad, "BatchNormalization": normalised,
    "Clip": activation, "Elu": activation, "LeakyRelu": activation, "Relu": activation, "Sigmoid": activation,
    "Softplus": activation, "Softsign": activation, "Tanh": activation, "Softmax": softmax, "LogSoftmax": softmax,
    "Identity": same, "Dropout": same, "Cast": same, "Transpose": transposed, "Flatten": flattened,
    "Reshape": reshaped, "Squeeze": squeezed, "Unsqueeze": unsqueezed,
}  # fmt: skip
_KNOWN = {*_KERNELS, *_SIMPLE, *MERGING, *SCALING, *FOLDED, "Concat"}
_PAIR = 2


def keras_twin(model: Any) -> Any:
    """Return a tf_keras model that calculates what an ONNX model does.

    It has plain layers only, channels last wherever the graph leaves the choice, and takes and gives what the ONNX
    model takes and gives; its batch is free.

    Args:
        model: An `onnx.ModelProto` with one float32 input, one output, and its weights inside.

    Raises:
        BadInputError: An operator has no plain Keras layer; it and its node are named.
    """
    graph, layers = Graph(model), Layers()
    for node in graph.nodes:
        if said := unknown_operator([node.kind]):
            raise node.no_twin(said)
    import tf_keras

    given = tf_keras.Input(graph.input_shape, name=input_name(graph.input_shape))
    twin = _Twin(graph, layers, Value(given, tuple(range(len(given.shape)))))
    for node in graph.nodes:
        twin.translate(node)
    return tf_keras.Model(given, twin.result(), name="onnx_twin")


def unknown_operator(kinds: Iterable[str]) -> str:
    """Say why one of these operators has no twin; nothing where all of them may have one.

    Args:
        kinds: Operator types, e.g. `Conv`.
    """
    for kind in kinds:
        if kind in _QUANTIZED:
            return "the model is quantised, and a twin can be made of the float32 one only"
        if kind not in _KNOWN:
            return f"{kind} cannot be rebuilt yet"
    return ""


class _Twin:
    """What has been translated so far."""

    def __init__(self, graph: Graph, layers: Layers, given: Value) -> None:
        self._graph, self._layers = graph, layers
        self._values = {graph.input: given}
        self._done: set[str] = set()

    def translate(self, node: Node) -> None:
        graph = self._graph
        if node.output in self._done:
            return
        known = {name: self._values[name] for name in node.inputs if name in self._values}
        if graph.fold(node, {name: _with_batch(value) for name, value in known.items()}):
            return
        missing = [name for name in node.inputs if name and name not in known and name not in graph.constants]
        if missing:
            raise node.no_twin(f"its input {missing[0]} is not in the graph")
        step = step_from(node, graph)
        try:
            self._values[step.output] = self._made(step, known)
        except BadInputError:
            raise
        except Exception as error:
            reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
            raise node.no_twin(reason) from error
        self._done.update(each.output for each in (node, *step.absorbed))

    def _made(self, step: Step, known: dict[str, Value]) -> Value:
        node, graph, layers = step.node, self._graph, self._layers
        values = [known[name] for name in node.inputs if name in known]
        if len(values) == len(node.inputs) > 1 and node.kind in (*MERGING, "Concat"):
            return concatenated(node, values, layers) if node.kind == "Concat" else merged(node, values, layers)
        if len(values) == 1 and len(node.inputs) == _PAIR and node.kind in SCALING:
            return scaled(step, values[0], graph, layers)
        # These work on their first input.
        if len(values) != 1 or node.inputs[0] not in known:
            raise node.no_twin("it is given constants or tensors where Keras' layer takes none")
        if node.kind in _KERNELS:
            return _KERNELS[node.kind](step, values[0], graph, layers)
        if node.kind not in _SIMPLE:
            raise node.no_twin("it calculates with more than shapes")
        return _SIMPLE[node.kind](node, values[0], graph, layers)

    def result(self) -> Any:
        """Return the output as the ONNX model gives it."""
        value = self._values.get(self._graph.output)
        if value is None:
            raise BadInputError.of("model", rule="must calculate its output", got=self._graph.output)
        return plain(value, self._layers).tensor


def _with_batch(value: Value) -> list[int]:
    return [BATCH if length is None else int(length) for length in value.shape]
