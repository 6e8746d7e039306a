"""The calls of layers that a Keras model's configuration describes, of either Keras, nested models laid open."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

_MODELS = ("Sequential", "Functional", "Model")
_PLACE = 3  # layer, number of its call, number of its output
_DEEPEST = 16


@dataclass(frozen=True)
class LayerCall:
    """One call of a layer.

    Attributes:
        layer: Class of the layer.
        config: Its configuration.
        name: Unique among the calls.
        held: Where its weights are: the archive's folder of each model around it, then its own.
        named: Names of the models around it, then its own.
        inputs: Tensors that it takes.
        output: Tensor that it gives.
        built: Shape of its input, where the file says.
    """

    layer: str
    config: dict[str, Any]
    name: str
    held: tuple[str, ...]
    named: tuple[str, ...]
    inputs: tuple[str, ...]
    output: str
    built: Any


@dataclass
class KerasModel:
    """All calls of a model.

    Attributes:
        calls: In the file's order.
        inputs: Its input layers' calls.
        outputs: Tensors that it gives.
    """

    calls: list[LayerCall]
    inputs: list[LayerCall]
    outputs: list[str]


def model_of(description: dict[str, Any]) -> KerasModel:
    """Read a model's configuration.

    Raises:
        BadInputError: It is neither Sequential nor functional, so that its graph is code.
    """
    model = KerasModel([], [], [])
    model.outputs = _opened(description, (), (), None, model)
    return model


def _opened(
    description: dict[str, Any],
    held: tuple[str, ...],
    named: tuple[str, ...],
    given: list[str] | None,
    model: KerasModel,
) -> list[str]:
    """Add the calls of a model, which takes the tensors that it is given, and return what it gives."""
    kind, config = description["class_name"], description["config"]
    if kind not in _MODELS or len(named) > _DEEPEST or "layers" not in config:
        raise BadInputError.of(
            "model", rule="must be a Sequential or a functional model to be compared", got=kind,
            hint="convert it to onnx and compare that",
        )  # fmt: skip
    layers = list(_layers(config["layers"], held, named))
    if "input_layers" not in config:
        return _chained(layers, given, model)
    return _connected(layers, config, given, model)


@dataclass(frozen=True)
class _Layer:
    description: dict[str, Any]
    held: tuple[str, ...]
    named: tuple[str, ...]

    @property
    def kind(self) -> str:
        return str(self.description["class_name"])

    @property
    def own_name(self) -> str:
        return self.named[-1]

    @property
    def is_model(self) -> bool:
        return self.kind in _MODELS


def _layers(listed: list[dict[str, Any]], held: tuple[str, ...], named: tuple[str, ...]) -> Iterator[_Layer]:
    """Give the layers with their folders in an archive, which numbers the layers of a class."""
    counts: Counter[str] = Counter()
    for description in listed:
        snake = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", description["class_name"])
        snake = re.sub("([a-z])([A-Z])", r"\1_\2", snake).lower()
        folder = f"{snake}_{counts[snake]}" if counts[snake] else snake
        counts[snake] += 1
        name = description["config"].get("name") or description.get("name") or folder
        yield _Layer(description, (*held, folder), (*named, str(name)))


def _chained(layers: list[_Layer], given: list[str] | None, model: KerasModel) -> list[str]:
    tensors = given
    for layer in layers:
        if tensors is None or layer.kind != "InputLayer":
            tensors = _called(layer, tensors or [], 0, model)
    return tensors or []


def _connected(layers: list[_Layer], config: dict[str, Any], given: list[str] | None, model: KerasModel) -> list[str]:
    tensors: dict[tuple[str, int], list[str]] = {}
    if given is not None:
        tensors = {place: [name] for place, name in zip(_places(config["input_layers"]), given, strict=False)}
    waiting = [
        (layer, number, list(_places(node)))
        for layer in layers
        for number, node in enumerate(layer.description.get("inbound_nodes") or [[]])
        if (layer.own_name, number) not in tensors
    ]
    while waiting:
        ready = [call for call in waiting if all(place in tensors for place in call[2])]
        if not ready:
            raise BadInputError.of("model", rule="must be a graph without circles", got=waiting[0][0].own_name)
        for layer, number, places in ready:
            inputs = [name for place in places for name in tensors[place]]
            tensors[layer.own_name, number] = _called(layer, inputs, number, model)
        waiting = [call for call in waiting if (call[0].own_name, call[1]) not in tensors]
    return [name for place in _places(config["output_layers"]) for name in tensors.get(place, [])]


def _called(layer: _Layer, inputs: list[str], number: int, model: KerasModel) -> list[str]:
    if layer.is_model:
        return _opened(layer.description, layer.held, layer.named, inputs, model)
    name = "/".join(layer.named) + (f"#{number + 1}" if number else "")
    built = (layer.description.get("build_config") or {}).get("input_shape")
    call = LayerCall(
        layer.kind, layer.description["config"], name, layer.held, layer.named, tuple(inputs), f"{name}:0", built
    )
    (model.inputs if layer.kind == "InputLayer" else model.calls).append(call)
    return [call.output]


def _places(value: Any, depth: int = _DEEPEST) -> Iterator[tuple[str, int]]:
    """Give the calls whose outputs are named in what a call is given, as either Keras describes it."""
    if not depth:
        return
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            history = value["config"]["keras_history"]
            yield str(history[0]), int(history[1])
            return
        value = list(value.values())
    elif isinstance(value, (list, tuple)) and len(value) >= _PLACE and isinstance(value[0], str):
        if isinstance(value[1], int) and isinstance(value[2], int):
            yield value[0], value[1]
        value = value[_PLACE:]
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from _places(each, depth - 1)
