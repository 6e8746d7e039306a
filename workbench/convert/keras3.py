"""Keras 3 and tf_keras: a model of the one rebuilt as its twin in the other, with the same weights and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.convert.keras_calls import calls_of
from workbench.convert.keras_layers import same_layer
from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from workbench.convert.keras_calls import Place


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
    """Refuse a model with several inputs or outputs, and one that was never told its input's shape.

    Raises:
        BadInputError: It is such a one.
    """
    # Keras 3 has no attribute `inputs` where a Sequential was not built.
    counts = len(getattr(model, "inputs", None) or ()), len(getattr(model, "outputs", None) or ())
    if not any(counts):
        raise BadInputError.of("model", rule="must have an input shape", got=model.name, hint="add keras.Input first")
    if counts != (1, 1):
        raise BadInputError.of(
            "model", rule="must have one input and one output", got="{} and {}".format(*counts),
            hint="make a keras.Model of one tensor in and one out",
        )  # fmt: skip


def _rebuilt(model: Any, library: Any) -> Any:
    """Rebuild a model with the layers of another Keras."""
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
    waiting = list(calls_of(config))
    while waiting:
        ready = [call for call in waiting if tensors.keys() >= call.needs]
        if not ready:
            raise BadInputError.of("model", rule="must be a graph without circles", got=waiting[0].place[0])
        for call in ready:
            tensors[call.place] = call.made(twins[call.place[0]], tensors)
        waiting = [call for call in waiting if call.place not in tensors]
    return tensors[output]


def _places(listed: Any) -> list[Place]:
    """Read `input_layers` or `output_layers`, where Keras 3 leaves the brackets around a single one out."""
    return [(each[0], each[1]) for each in ([listed] if isinstance(listed[0], str) else listed)]
