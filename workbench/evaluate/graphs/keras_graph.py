"""The graph of a Keras model: its calls with what each calculates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.evaluate.graphs.base import GraphNode, GraphTensor, ModelGraph, in_order
from workbench.evaluate.graphs.keras_layer import Layer
from workbench.evaluate.graphs.keras_layers import operations
from workbench.evaluate.graphs.keras_model import model_of
from workbench.evaluate.graphs.keras_shapes import result_shape
from workbench.evaluate.graphs.kinds import rounded

if TYPE_CHECKING:
    from workbench.evaluate.graphs.base import Axes
    from workbench.evaluate.graphs.keras_model import LayerCall
    from workbench.evaluate.graphs.keras_weights import LayerWeights

FAMILY = "keras"
# How a layer starts and is held while it learns; what the operations tell; what names it.
_ELSEWHERE = ("_initializer", "_regularizer", "_constraint", "_quantizer")
_SAID = frozenset((
    "name", "trainable", "dtype", "batch_input_shape", "batch_shape", "seed", "activation", "use_bias", "strides",
    "padding", "dilation_rate", "kernel_size", "pool_size", "epsilon", "groups", "momentum", "layer", "center", "scale",
    "quantization_config", "build_config", "input_shape", "max_value", "negative_slope", "alpha", "filters", "units",
))  # fmt: skip


def keras_graph(description: dict[str, Any], weights: LayerWeights) -> ModelGraph:
    """Read the graph that a model's configuration describes.

    Args:
        description: Class and configuration of the model.
        weights: Gives each layer's weights.

    Raises:
        BadInputError: It is neither Sequential nor functional.
    """
    model = model_of(description)
    tensors = {call.output: _input(call) for call in model.inputs}
    if not model.inputs and model.calls:  # a Sequential that was built by its first batch
        first = model.calls[0]
        tensors |= {name: GraphTensor(name, _axes(first.built), "float32") for name in first.inputs}
    built = {name: _axes(call.built) for call in model.calls if len(call.inputs) == 1 for name in call.inputs}
    nodes = []
    for call in model.calls:
        given: list[Axes | None] = [tensors[name].shape if name in tensors else None for name in call.inputs]
        if not any(given) and len(given) == 1:
            given = [_axes(call.built)]
        kind, config = _inner(call)
        shape = result_shape(kind, config, given) or built.get(call.output)
        tensors[call.output] = GraphTensor(call.output, shape, _dtype(config))
        nodes.append(_node(call, given[0] if given else None, weights))
    return ModelGraph(
        FAMILY,
        in_order(nodes, model.outputs),
        tensors,
        tuple(tensors[call.output]._replace(name=call.name) for call in model.inputs),
        tuple(tensors[name]._replace(name=name.removesuffix(":0")) for name in model.outputs if name in tensors),
    )


def _node(call: LayerCall, given: Axes | None, weights: LayerWeights) -> GraphNode:
    kind, config = _inner(call)
    name = call.name
    if kind != call.layer:
        name = name.replace(call.named[-1], str(config.get("name", call.named[-1])))
    found = operations(Layer(call.layer, call.config, weights.of(call), given)) or operations(
        Layer("Identity", {}, [], given)
    )
    operator = call.layer if kind == call.layer else f"{call.layer} of {kind}"
    path = frozenset((*call.named, str(config.get("name", ""))))
    attributes = _rest(config, 0 if given is None else len(given))
    return GraphNode(name, operator, found, call.inputs, (call.output,), attributes, path)


def _inner(call: LayerCall) -> tuple[str, dict[str, Any]]:
    """Return class and configuration of the layer inside a quantize wrapper, which is as good as the layer."""
    if call.layer.startswith("QuantizeWrapper"):
        inner = call.config["layer"]
        return str(inner["class_name"]), dict(inner["config"])
    return call.layer, call.config


def _rest(config: dict[str, Any], rank: int) -> dict[str, Any]:
    found = {
        name: _plain(value)
        for name, value in config.items()
        if name not in _SAID and not name.endswith(_ELSEWHERE) and not isinstance(value, dict) and value is not None
    }
    axis = found.get("axis")
    if isinstance(axis, int) and 0 <= axis < rank:  # the last one is 3 to the one, -1 to another
        found["axis"] = axis - rank
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        # One axis comes as a number from the one Keras, as a list from the other.
        return _plain(value[0]) if len(value) == 1 else tuple(_plain(each) for each in value)
    return rounded(value) if isinstance(value, float) else value


def _input(call: LayerCall) -> GraphTensor:
    shape = call.config.get("batch_shape") or call.config.get("batch_input_shape")
    return GraphTensor(call.output, _axes(shape), _dtype(call.config))


def _axes(shape: Any) -> Axes | None:
    if not isinstance(shape, (list, tuple)) or any(isinstance(axis, (list, tuple)) for axis in shape):
        return None
    return tuple(None if axis is None else int(axis) for axis in shape)


def _dtype(config: dict[str, Any]) -> str:
    dtype = config.get("dtype") or "float32"
    if isinstance(dtype, dict):
        dtype = dtype.get("config", {}).get("name", "float32")
    return str(dtype)
