"""The calls of a functional model's layers, as either Keras describes them: which layer, and what it is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Layer and number of its call.
Place = tuple[str, int]
Given = Place | list[Place] | None
# What a call may be given besides tensors, by its name: flags that mean the same in both Keras.
_FLAGS = {"use_causal_mask": (False, True), "training": (False,)}


@dataclass(frozen=True)
class Call:
    """One call of a layer.

    Attributes:
        place: Which one.
        positional: Tensors, or lists of them, in order.
        named: Tensors by the name of the parameter, such as an attention's `value`.
        flags: What else it was given.
    """

    place: Place
    positional: tuple[Given, ...]
    named: dict[str, Given] = field(default_factory=dict)
    flags: dict[str, bool] = field(default_factory=dict)

    @property
    def needs(self) -> set[Place]:
        """The calls whose outputs it is given."""
        given = (*self.positional, *self.named.values())
        return {place for each in given for place in (each if isinstance(each, list) else [each]) if place is not None}

    def made(self, layer: Any, tensors: Mapping[Place, Any]) -> Any:
        """Call a layer in the same way and return its output.

        Args:
            layer: Of either Keras.
            tensors: Outputs of the calls that it needs.
        """

        def value(given: Given) -> Any:
            if given is None:
                return None
            return [tensors[place] for place in given] if isinstance(given, list) else tensors[given]

        positional = [value(each) for each in self.positional]
        return layer(*positional, **{name: value(each) for name, each in self.named.items()}, **self.flags)


def calls_of(config: dict[str, Any]) -> Iterator[Call]:
    """Give each call of a functional model's configuration.

    Raises:
        BadInputError: A layer is given something besides the outputs of others; it is named.
    """
    for layer in config["layers"]:
        if layer["class_name"] == "InputLayer":
            continue
        for number, node in enumerate(layer["inbound_nodes"]):
            read = _modern if isinstance(node, dict) else _legacy
            yield read((layer["name"], number), node)


def _modern(place: Place, node: dict[str, Any]) -> Call:
    """Read a call of Keras 3: arguments as they were, tensors among them as what they are outputs of."""
    positional = tuple(_modern_given(place, value) for value in node["args"])
    named, flags = {}, {}
    for name, value in node["kwargs"].items():
        if name in _FLAGS and value in _FLAGS[name]:
            flags[name] = value
        elif value is not None:
            named[name] = _modern_given(place, value)
    return _call(place, positional, named, flags)


def _modern_given(place: Place, value: Any) -> Given:
    if value is None:
        return None
    if isinstance(value, list):
        found = [_modern_given(place, each) for each in value]
        if found and all(isinstance(each, tuple) for each in found):
            return found  # type: ignore[return-value]
    elif isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        return _output(place, value["config"]["keras_history"])
    raise _refused(place)


def _legacy(place: Place, node: Any) -> Call:
    """Read a call of tf_keras: `[layer, call, output, named arguments]`, or a list of those for the first argument."""
    entries = [node] if node and isinstance(node[0], str) else list(node)
    if not entries:
        raise _refused(place)
    tensors = [_output(place, entry) for entry in entries]
    named, flags = {}, {}
    for name, value in (entries[0][3] if len(entries[0]) > 3 else {}).items():  # noqa: PLR2004 - see above
        if name in _FLAGS and value in _FLAGS[name]:
            flags[name] = value
        elif value is not None:
            named[name] = _legacy_given(place, value)
    return _call(place, (tensors if len(tensors) > 1 else tensors[0],), named, flags)


def _legacy_given(place: Place, value: Any) -> Given:
    if isinstance(value, (list, tuple)) and value:
        if isinstance(value[0], str):
            return _output(place, value)
        return [_output(place, each) for each in value]
    raise _refused(place)


def _call(place: Place, positional: tuple[Given, ...], named: dict[str, Given], flags: dict[str, bool]) -> Call:
    flags.pop("training", None)  # the twin is asked without learning, as the model is
    if not any(positional) and not named:
        raise _refused(place)
    return Call(place, positional, named, flags)


def _output(place: Place, history: Any) -> Place:
    try:
        name, number, output = history[:3]
    except (TypeError, ValueError):
        raise _refused(place) from None
    if output != 0 or not isinstance(name, str):
        raise _refused(place)
    return str(name), int(number)


def _refused(place: Place) -> BadInputError:
    return BadInputError.of(
        "model", rule="must call its layers with the one output of other layers only", got=f"layer {place[0]}"
    )
