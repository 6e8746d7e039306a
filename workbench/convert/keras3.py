"""Keras 3 and tf_keras: a model of the one rebuilt as its twin in the other, with the same weights and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.convert.keras_layers import same_layer
from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

Place = tuple[str, int]


def twin_of(model: Any) -> Any:
    """Return a built tf_keras model with the layers and weights of a Keras 3 model.

    Args:
        model: A live Keras 3 Sequential, or a functional model with one input and one output.

    Raises:
        BadInputError: It is neither, its input shape is open, or a layer has no twin; the layer is named.
    """
    import tf_keras

    return _rebuilt(model, tf_keras)


def keras3_of(model: Any) -> Any:
    """Return a built Keras 3 model with the layers and weights of a tf_keras model.

    Raises:
        BadInputError: As for `twin_of`.
    """
    import keras

    return _rebuilt(model, keras)


def require_one_in_one_out(model: Any) -> None:
    """Refuse a model with several inputs or outputs.

    Raises:
        BadInputError: It has.
    """
    counts = len(model.inputs or ()), len(model.outputs or ())
    if counts != (1, 1):
        raise BadInputError.of("model", rule="must have one input and one output", got="{} and {}".format(*counts))


def _rebuilt(model: Any, library: Any) -> Any:
    """Rebuild a model with the layers of another Keras."""
    if not model.built or not model.inputs:
        raise BadInputError.of("model", rule="must have an input shape", got=model.name, hint="add keras.Input first")
    require_one_in_one_out(model)
    given = model.inputs[0]
    inputs = library.Input(tuple(given.shape[1:]), dtype=getattr(given.dtype, "name", given.dtype))
    layers = {layer.name: layer for layer in model.layers if type(layer).__name__ != "InputLayer"}
    twins = {name: same_layer(layer, library) for name, layer in layers.items()}
    if type(model).__name__ == "Sequential":
        twin = library.Sequential([inputs, *twins.values()], name=model.name)
    else:
        twin = library.Model(inputs, _outputs(model, inputs, twins), name=model.name)
    for name, layer in layers.items():
        twins[name].set_weights(layer.get_weights())
    return twin


def _outputs(model: Any, inputs: Any, twins: dict[str, Any]) -> Any:
    """Call the twins of a functional model in the order of its graph and return what its output is."""
    if type(model).__name__ != "Functional":
        raise BadInputError.of(
            "model", rule="must be a Sequential or a functional model to be rebuilt",
            got=f"{type(model).__name__} {model.name}", hint="its layers' order is code, which no file describes",
        )  # fmt: skip
    config = model.get_config()
    (output,) = _places(config["output_layers"])
    tensors: dict[Place, Any] = dict.fromkeys(_places(config["input_layers"]), inputs)
    waiting = list(_calls(config))
    while waiting:
        ready = [call for call in waiting if all(place in tensors for place in call[1])]
        if not ready:
            raise BadInputError.of("model", rule="must be a graph without circles", got=waiting[0][0])
        for call in ready:
            (name, number), asked, several = call
            values = [tensors[place] for place in asked]
            tensors[name, number] = twins[name](values if several else values[0])
        waiting = [call for call in waiting if call[0] not in tensors]
    return tensors[output]


def _calls(config: dict[str, Any]) -> Iterator[tuple[Place, list[Place], bool]]:
    """Give each call of a layer: which one it is, what it is called with, and whether that is a list."""
    for layer in config["layers"]:
        if layer["class_name"] == "InputLayer":
            continue
        for number, node in enumerate(layer["inbound_nodes"]):
            asked, several = _asked(layer["name"], node)
            yield (layer["name"], number), asked, several


def _asked(name: str, node: Any) -> tuple[list[Place], bool]:
    """Read what one call was given, as either Keras describes it."""
    if isinstance(node, dict):
        given, others = node["args"][:1], [*node["args"][1:], *node["kwargs"].values()]
        several = isinstance(given[0], list) if given else False
        tensors = given[0] if several else given
        places = [tuple(each["config"]["keras_history"][:2]) for each in tensors if _is_tensor(each)]
    else:
        tensors = [node] if node and isinstance(node[0], str) else list(node)
        several = len(tensors) > 1
        places = [(each[0], each[1]) for each in tensors]
        others = [value for each in tensors for value in each[3].values()]
    if not places or len(places) != len(tensors) or any(value is not None for value in others):
        raise BadInputError.of(
            "model", rule="must call its layers with the outputs of other layers only", got=f"layer {name}"
        )
    return places, several


def _is_tensor(value: Any) -> bool:
    return isinstance(value, dict) and value.get("class_name") == "__keras_tensor__"


def _places(listed: Any) -> list[Place]:
    """Read `input_layers` or `output_layers`, where Keras 3 leaves the brackets around a single one out."""
    return [(each[0], each[1]) for each in ([listed] if isinstance(listed[0], str) else listed)]
