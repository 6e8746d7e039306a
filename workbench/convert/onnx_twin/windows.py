"""What convolutions and pools have in common: axes that a window moves along, and padding."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from workbench.convert.onnx_twin.shapes import arranged, unfolded
from workbench.convert.onnx_twin.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.convert.onnx_twin.graph import Node
    from workbench.convert.onnx_twin.layers import Layers

_SPATIAL = 2
_MOST_AXES = 2


@dataclass(frozen=True)
class Axis:
    """One axis that a window moves along.

    Attributes:
        number: In ONNX.
        length: Of the input.
        window: Length of the kernel.
        stride: Of the window.
        dilation: Of the kernel.
        before: Padding in front.
        after: Padding behind.
    """

    number: int
    length: int
    window: int
    stride: int
    dilation: int
    before: int
    after: int

    @property
    def reach(self) -> int:
        """Length of the window with its gaps."""
        return (self.window - 1) * self.dilation + 1

    @property
    def same(self) -> tuple[int, int]:
        """What Keras pads where it is told `same`."""
        steps = -(-self.length // self.stride)
        missing = max((steps - 1) * self.stride + self.reach - self.length, 0)
        return missing // 2, missing - missing // 2

    @property
    def idle(self) -> bool:
        """Whether the window does nothing along it."""
        return (self.length, self.window, self.stride, self.before, self.after) == (1, 1, 1, 0, 0)

    def rounded_up(self) -> Self:
        """Return it with the padding behind that ONNX' `ceil_mode` stands for."""
        left = (self.length + self.before + self.after - self.reach) % self.stride
        return replace(self, after=self.after + self.stride - left) if left else self


@dataclass(frozen=True)
class Windowed:
    """An input with channels last, and the axes that a window moves along.

    Attributes:
        tensor: Of Keras: batch, the axes, channels.
        axes: One or two; those of length 1 that a window does nothing along are gone.
        rank: Count of axes in ONNX.
    """

    tensor: Any
    axes: tuple[Axis, ...]
    rank: int

    @property
    def suffix(self) -> str:
        """`1D` or `2D`, as Keras' classes end."""
        return f"{len(self.axes)}D"

    def like(self, tensor: Any) -> Value:
        """Return what a layer made of it as a value of the ONNX graph."""
        places: list[int | None] = [None] * self.rank
        places[0], places[1] = 0, len(self.axes) + 1
        for place, axis in enumerate(self.axes, 1):
            places[axis.number] = place
        return Value(tensor, tuple(places))

    def padded(self, node: Node, layers: Layers, *, same: bool, zeros: bool) -> tuple[Any, str]:
        """Return the tensor and Keras' name of the padding; a layer of zeros where it has no name for it.

        Args:
            node: For errors.
            layers: Makes the layer.
            same: Whether Keras pads this kind of layer as ONNX does.
            zeros: Whether it may be padded with zeros before.
        """
        asked = [(axis.before, axis.after) for axis in self.axes]
        if not any(map(any, asked)):
            return self.tensor, "valid"
        if same and asked == [axis.same for axis in self.axes]:
            return self.tensor, "same"
        if not zeros or min(map(min, asked)) < 0:
            raise node.no_twin(f"Keras cannot pad it by {asked}")
        return layers.add(f"ZeroPadding{self.suffix}", self.tensor, "padding", padding=_given(asked)), "valid"


def windowed(value: Value, node: Node, window: Sequence[int], layers: Layers) -> Windowed:
    """Read strides, dilations and padding of a node, and bring its input into the order with channels last.

    Args:
        value: Its input.
        node: A convolution or pool.
        window: Lengths of the kernel.
        layers: Makes the layers.
    """
    value = unfolded(value, layers)
    axes = _axes(value, node, window)
    if node.attributes.get("ceil_mode", 0):
        axes = [axis.rounded_up() for axis in axes]
    kept = [axis for axis in axes if not axis.idle or value.axes[axis.number] is not None] or axes[:_MOST_AXES]
    if len(kept) > _MOST_AXES:
        raise node.no_twin("its window moves along more than two axes")
    tensor = arranged(value, (0, *(axis.number for axis in kept), 1), layers)
    return Windowed(tensor, tuple(kept), value.rank)


def _axes(value: Value, node: Node, window: Sequence[int]) -> list[Axis]:
    count = len(window)
    if value.rank != count + _SPATIAL:
        raise node.no_twin(f"its window has {count} axes and its input {value.rank}")
    strides = node.attributes.get("strides", [1] * count)
    dilations = node.attributes.get("dilations", [1] * count)
    pads = node.attributes.get("pads", [0] * (2 * count))
    lengths = [int(length or 0) for length in value.shape[_SPATIAL:]]
    found = [
        Axis(_SPATIAL + at, lengths[at], window[at], strides[at], dilations[at], pads[at], pads[count + at])
        for at in range(count)
    ]
    return [_padded_by_rule(axis, node) for axis in found]


def _padded_by_rule(axis: Axis, node: Node) -> Axis:
    rule = node.attributes.get("auto_pad", "NOTSET")
    if rule in ("NOTSET", "VALID"):
        return axis
    before, after = axis.same
    if rule == "SAME_LOWER":
        before, after = after, before
    return replace(axis, before=before, after=after)


def _given(pads: list[tuple[int, int]]) -> Any:
    return tuple(pads) if len(pads) > 1 else pads[0]
