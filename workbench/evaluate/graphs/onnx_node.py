"""One node of an ONNX graph with what surrounds it, for those who say what it calculates."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from workbench.evaluate.graphs.kinds import rounded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workbench.evaluate.graphs.base import Axes, Weight
    from workbench.evaluate.graphs.onnx_constants import Constant, Constants

_LONGEST_LISTED = 16


class OnnxNode:
    """A node, its constants and its surroundings; what is asked for counts as said.

    Attributes:
        operator: Its type.
        inputs: Names of all its inputs, empty where one is left out.
        outputs: Names of its outputs.
    """

    def __init__(
        self,
        proto: Any,
        constants: Constants,
        shapes: Mapping[str, Axes],
        around: tuple[Mapping[str, Any], Mapping[str, list[Any]]],
        version: int,
    ) -> None:
        self.operator = str(proto.op_type)
        self.inputs = tuple(proto.input)
        self.outputs = tuple(proto.output)
        self.constants = constants
        self._shapes = shapes
        self._makers, self._takers = around
        self._attributes = {**_defaults(self.operator, proto.domain, version), **_given(proto)}
        self._said: set[str] = set()
        self._taken: set[int] = set()

    def attribute(self, name: str, otherwise: Any = None) -> Any:
        """Return an attribute, or what it is where nobody says."""
        self._said.add(name)
        return self._attributes.get(name, otherwise)

    def constant(self, index: int) -> Constant | None:
        """Return an input that is constant."""
        if index >= len(self.inputs):
            return None
        found = self.constants.get(self.inputs[index])
        if found is not None:
            self._taken.add(index)
        return found

    def numbers(self, index: int) -> list[Any] | None:
        """Return an input that is constant as a flat list of numbers."""
        found = self.constant(index)
        return None if found is None else found.values.ravel().tolist()

    def shape(self, name: str) -> Axes | None:
        """Return a tensor's shape, where it is known."""
        return self._shapes.get(name)

    def maker(self, name: str) -> Any:
        """Return the node that gives a tensor; None for an input or constant."""
        return self._makers.get(name)

    def takers(self, name: str) -> list[Any]:
        """Return the nodes that take a tensor."""
        return self._takers.get(name, [])

    def rest(self) -> tuple[dict[str, Any], tuple[Weight, ...]]:
        """Return what nobody asked for: attributes with short constants, and long constants as weights."""
        attributes = {name: _plain(value) for name, value in self._attributes.items() if name not in self._said}
        weights = []
        for index, name in enumerate(self.inputs):
            found = None if index in self._taken or not name else self.constants.get(name)
            if found is None:
                continue
            if found.values.size <= _LONGEST_LISTED and found.values.dtype.kind in "biu":
                attributes[f"input {index}"] = tuple(found.values.ravel().tolist())
            elif found.values.size <= 1:
                attributes[f"input {index}"] = _plain(found.values.ravel().tolist())
            else:
                weights.append(found.weight("value"))
        return attributes, tuple(weights)

    @property
    def constant_result(self) -> bool:
        """Whether what it gives does not depend on the model's input."""
        return bool(self.outputs) and self.constants.get(self.outputs[0]) is not None

    def carried(self) -> tuple[str, ...]:
        """Return the names of its inputs that are no constants."""
        return tuple(name for name in self.inputs if name and self.constants.get(name) is None)


def weight_of(constant: Constant | None, role: str, change: Callable[[Any], Any] | None = None) -> tuple[Weight, ...]:
    """Return a constant as a weight in the common layout, or nothing where there is none."""
    if constant is None:
        return ()
    return ((constant if change is None else constant.moved(change)).weight(role),)


@lru_cache(maxsize=1024)
def _defaults(operator: str, domain: str, version: int) -> Mapping[str, Any]:
    from onnx import defs, helper

    try:
        schema = defs.get_schema(operator, version, domain)
    except defs.SchemaError:
        return {}
    found = schema.attributes.items()
    return {name: helper.get_attribute_value(each.default_value) for name, each in found if each.default_value.name}


def _given(proto: Any) -> dict[str, Any]:
    from onnx import helper

    # Bodies of loops and branches are read as graphs of their own.
    return {each.name: helper.get_attribute_value(each) for each in proto.attribute if not (each.g.node or each.graphs)}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, float):
        return rounded(value)
    if isinstance(value, (list, tuple)):
        return tuple(_plain(each) for each in value)
    return value if isinstance(value, (int, str, bool)) else str(value)
