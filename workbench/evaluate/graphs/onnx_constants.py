"""What is constant in an ONNX graph: initializers, Constant nodes, and what is made of these alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import BadInputError
from workbench.evaluate.graphs.base import Weight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

_LARGEST_CALCULATED = 64


@dataclass(frozen=True, eq=False)
class Constant:
    """A constant as a node gets it.

    Attributes:
        name: Of the stored tensor that it is made from.
        stored: As the file has it.
        values: As the node gets it, scaled back where quantised.
        step: Width of a quantisation step, shaped as `values`; None where there is none.
        bits: Bits of a stored element.
    """

    name: str
    stored: NDArray[Any]
    values: NDArray[Any]
    step: NDArray[Any] | None = None
    bits: int = 0

    def moved(self, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Constant:
        """Return it with other axes."""
        return replace(self, values=change(self.values), step=None if self.step is None else change(self.step))

    def scaled(self, scale: NDArray[Any], zero: NDArray[Any] | int = 0) -> Constant:
        """Return it as the floats that its integers stand for; both broadcast to `values`."""
        values = (self.values.astype(np.float32) - np.asarray(zero, np.float32)) * scale.astype(np.float32)
        return replace(self, values=values, step=np.broadcast_to(scale.astype(np.float32), values.shape))

    def weight(self, role: str) -> Weight:
        """Return it as what an operation calculates with."""
        return Weight(self.name, role, self.stored, self.values, self.step, self.bits)


class Constants:
    """Looks constants up by tensor name; each is read when it is first asked for."""

    def __init__(self, initializers: Iterable[Any], nodes: Iterable[Any]) -> None:
        self._tensors = {tensor.name: tensor for tensor in initializers}
        self._makers = {name: node for node in nodes for name in node.output if name}
        self._known: dict[str, Constant | None] = {}
        for name in self._makers:  # in the file's order, so that what is asked for is known already
            self.get(name)

    def get(self, name: str) -> Constant | None:
        """Return a constant; None for a tensor that depends on the model's input."""
        if name not in self._known:
            self._known[name] = None  # circles cannot be written in ONNX, but a damaged file can hold one
            self._known[name] = self._read(name)
        return self._known[name]

    def _read(self, name: str) -> Constant | None:
        if name in self._tensors:
            return _held(self._tensors[name], name)
        node = self._makers.get(name)
        if node is None:
            return None
        if node.op_type == "Constant":
            return _constant_node(node)
        change = _CHANGES.get(node.op_type, _calculated if node.op_type in _CALCULATED else None)
        if change is None or not node.input:
            return None
        inputs = []
        for each in node.input:
            inputs.append(self.get(each) if each else None)
            if each and inputs[-1] is None:  # all of them, or it is no constant: a scale may be calculated
                return None
        return change(inputs, node)


def _held(tensor: Any, name: str) -> Constant:
    from onnx import TensorProto, numpy_helper

    if tensor.data_location == TensorProto.EXTERNAL:
        raise BadInputError.of(
            "file", rule="must hold its own weights to be compared", got=f"{name} in another file",
            hint="bring it in with workbench.adopt, which puts them into one",
        )  # fmt: skip
    values = numpy_helper.to_array(tensor)
    bits = 4 if tensor.data_type in (TensorProto.INT4, TensorProto.UINT4) else 8 * values.dtype.itemsize
    return Constant(name, values, values, bits=bits)


def _constant_node(node: Any) -> Constant | None:
    from onnx import helper

    for attribute in node.attribute:
        if attribute.name == "value":
            return _held(attribute.t, node.output[0])
        if attribute.name.startswith(("value_float", "value_int")):
            values = np.asarray(helper.get_attribute_value(attribute))
            return Constant(node.output[0], values, values, bits=8 * values.dtype.itemsize)
    return None


def _setting(node: Any, name: str, otherwise: Any) -> Any:
    from onnx import helper

    found = next((each for each in node.attribute if each.name == name), None)
    return otherwise if found is None else helper.get_attribute_value(found)


def _dequantized(inputs: list[Any], node: Any) -> Constant:
    constant, scale = inputs[0], inputs[1].values
    zero = inputs[2].values if len(inputs) > 2 and inputs[2] is not None else np.zeros_like(scale)  # noqa: PLR2004
    axis = _setting(node, "axis", 1)
    block = _setting(node, "block_size", 0)
    scaled: Constant = constant.scaled(*(_along(each, constant.values.shape, axis, block) for each in (scale, zero)))
    return scaled


def _along(values: NDArray[Any], shape: tuple[int, ...], axis: int, block: int) -> NDArray[Any]:
    """Shape scales so that they broadcast: one for all, one a channel, or one a block of channels."""
    if values.size == 1:
        return values.reshape(())
    if block:
        return np.repeat(values, block, axis)[tuple(slice(size) for size in shape)]
    return values.reshape([-1 if place == axis % len(shape) else 1 for place in range(len(shape))])


def _transposed(inputs: list[Any], node: Any) -> Constant:
    order = _setting(node, "perm", None)
    moved: Constant = inputs[0].moved(lambda values: values.transpose(order))
    return moved


def _reshaped(inputs: list[Any], node: Any) -> Constant:
    del node
    shape = inputs[0].values.shape
    wanted = [shape[i] if size == 0 and i < len(shape) else int(size) for i, size in enumerate(inputs[1].values)]
    moved: Constant = inputs[0].moved(lambda values: values.reshape(wanted))
    return moved


def _squeezed(inputs: list[Any], node: Any) -> Constant:
    axes = _axes(inputs, node)
    moved: Constant = inputs[0].moved(lambda values: values.squeeze(axes))
    return moved


def _unsqueezed(inputs: list[Any], node: Any) -> Constant:
    axes = _axes(inputs, node)
    moved: Constant = inputs[0].moved(lambda values: np.expand_dims(values, axes or ()))
    return moved


def _axes(inputs: list[Any], node: Any) -> tuple[int, ...] | None:
    if len(inputs) > 1:
        return tuple(int(axis) for axis in inputs[1].values)
    axes = _setting(node, "axes", None)
    return None if axes is None else tuple(axes)


def _same(inputs: list[Any], node: Any) -> Constant:
    del node
    same: Constant = inputs[0]
    return same


def _shape(inputs: list[Any], node: Any) -> Constant:
    del node
    values = np.asarray(inputs[0].values.shape, np.int64)
    return Constant(inputs[0].name, values, values, bits=64)


def _calculated(inputs: list[Any], node: Any) -> Constant | None:
    """Work out a shape that an exporter left as a calculation with constants."""
    from onnx.reference import ReferenceEvaluator

    known = {name: each.values for name, each in zip(node.input, inputs, strict=True) if each is not None}
    if sum(values.size for values in known.values()) > _LARGEST_CALCULATED:
        return None
    values = np.asarray(ReferenceEvaluator(node).run(None, known)[0])
    return Constant(node.output[0], values, values, bits=8 * values.dtype.itemsize)


_CALCULATED = ("Gather", "Concat", "ReduceProd", "Slice", "Add", "Sub", "Mul", "Div")
_CHANGES: dict[str, Callable[[list[Any], Any], Constant | None]] = {
    "DequantizeLinear": _dequantized, "Transpose": _transposed, "Reshape": _reshaped, "Squeeze": _squeezed,
    "Unsqueeze": _unsqueezed, "Identity": _same, "Cast": _same,
    "Shape": _shape,
}  # fmt: skip
