"""One operator of a TFLite subgraph with what surrounds it, for those who say what it calculates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.evaluate.graphs.kinds import rounded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.evaluate.graphs.base import Axes, Weight
    from workbench.evaluate.graphs.tflite_tensors import Constant, Tensors

_LONGEST_LISTED = 16
_LAYERS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
_BETWEEN = ("RESHAPE", "TRANSPOSE", "BATCH_TO_SPACE_ND", "SQUEEZE", "DEQUANTIZE")


class TfliteNode:
    """An operator, its constants and options; what is asked for counts as said.

    Attributes:
        operator: Its name in the schema, or the custom operator's own.
        inputs: Indices of its inputs, −1 where one is left out.
        outputs: Indices of its outputs.
    """

    def __init__(
        self, operator: str, table: Any, tensors: Tensors, makers: Mapping[int, tuple[str, tuple[int, ...]]]
    ) -> None:
        self.operator = operator
        self.inputs = tuple(int(index) for index in (table.inputs if table.inputs is not None else ()))
        self.outputs = tuple(int(index) for index in (table.outputs if table.outputs is not None else ()))
        self._options = dict(vars(table.builtinOptions)) if table.builtinOptions is not None else {}
        self._tensors, self._makers = tensors, makers
        self._said: set[str] = set()
        self._taken: set[int] = set()

    def option(self, name: str, otherwise: Any) -> Any:
        """Return an option, or what it is where the file does not say."""
        self._said.add(name)
        return self._options.get(name, otherwise)

    def constant(self, index: int, *, floats_only: bool = False) -> Constant | None:
        """Return an input that is constant; with `floats_only`, none whose numbers are indices or shapes."""
        if index >= len(self.inputs):
            return None
        found = self._tensors.constant(self.inputs[index])
        if found is None or (floats_only and found.values.dtype.kind != "f"):
            return None
        self._taken.add(index)
        return found

    def shape(self, index: int) -> Axes | None:
        """Return the shape of an input."""
        if index >= len(self.inputs) or self.inputs[index] < 0:
            return None
        return self._tensors.described(self.inputs[index]).shape

    def kernel_behind(self, index: int) -> Constant | None:
        """Return the kernel of the layer whose result an input is, perhaps reshaped."""
        tensor = self.inputs[index] if index < len(self.inputs) else -1
        for _ in range(len(_BETWEEN)):
            operator, sources = self._makers.get(tensor, ("", ()))
            if operator in _LAYERS and len(sources) > 1:
                return self._tensors.constant(sources[1])
            if operator not in _BETWEEN or not sources:
                return None
            tensor = sources[0]
        return None

    def rest(self) -> tuple[dict[str, Any], tuple[Weight, ...]]:
        """Return what nobody asked for: options with short constants, and long constants as weights."""
        options = self._options.items()
        attributes = {name: _plain(value) for name, value in options if name not in self._said and value is not None}
        weights = []
        for place, index in enumerate(self.inputs):
            found = None if place in self._taken else self._tensors.constant(index)
            if found is None:
                continue
            if found.values.size <= 1 or (found.values.size <= _LONGEST_LISTED and found.values.dtype.kind in "biu"):
                attributes[f"input {place}"] = _plain(found.values.ravel().tolist())
            else:
                weights.append(found.weight("value", lambda values: values))
        return attributes, tuple(weights)

    def carried(self) -> tuple[str, ...]:
        """Return the names of its inputs that are no constants."""
        return tuple(
            self._tensors.name(index) for index in self.inputs if index >= 0 and self._tensors.constant(index) is None
        )


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float):
        return rounded(value)
    if isinstance(value, (list, tuple)):
        return tuple(_plain(each) for each in value)
    return value if isinstance(value, (int, str, bool)) else str(value)
