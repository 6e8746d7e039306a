"""The ONNX file of a model whose weights are whole numbers, each output channel with a scale of its own.

It computes with floats, as the slider does: a DequantizeLinear node gives each operator the kernel that it had.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.compress.preview.stored import Stored
from workbench.evaluate.packing import Packer
from workbench.evaluate.packing.protobuf import onnx_tensors

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from workbench.compress.preview.perturb import Whole
    from workbench.compress.preview.weight_map import MappedKernel

FOUR = 4
_CHANNELS_SINCE = 13
# Operator set and format of the file since when there are four bits.
_FOUR_SINCE, _FOUR_FORMAT = 21, 10


class WholeNumbers:
    """Writes such files for one model; what stays is made once.

    Attributes:
        kind: What the weights are stored as, `int8` or `int4`.
    """

    def __init__(self, data: bytes, mapped: Sequence[MappedKernel], bits: int) -> None:
        """Make the file without its weights.

        Args:
            data: The float32 file.
            mapped: Its kernels.
            bits: Of a weight. Up to four are stored in four where every operator of the file has a version that knows
                them, otherwise in eight.
        """
        four = _prepared(data, _FOUR_SINCE) if bits <= FOUR else None
        self.kind = "int8" if four is None else "int4"
        self._mapped = tuple(mapped)
        model = four if four is not None else _prepared(data, _CHANNELS_SINCE, always=True)
        self._empty = self._emptied(model)
        self._packer = Packer(self._empty, "onnx")

    def stored(self, kernels: Iterable[Whole]) -> Stored:
        """Return the file with these weights, in the order of the mapped kernels."""
        tensors: dict[str, NDArray[Any]] = {}
        for mapped, each in zip(self._mapped, kernels, strict=True):
            name = mapped.place.name
            tensors[f"{name}_scale"] = each.scales.reshape(-1)
            tensors[f"{name}_quantized"] = _nibbles(each.integers) if self.kind == "int4" else each.integers
        if tensors.keys() <= {each.name for each in self._packer.ranges}:
            return Stored(self._packer, tensors)
        # Scales of a few channels are too small to be coded and lie in what is deflated once.
        return Stored(Packer(self._written(tensors), "onnx"), {})

    def _written(self, tensors: dict[str, NDArray[Any]]) -> bytes:
        data = bytearray(self._empty)
        for place in onnx_tensors(self._empty):
            if place.name in tensors:
                data[place.offset : place.end] = tensors[place.name].tobytes()
        return bytes(data)

    def _emptied(self, model: Any) -> bytes:
        from onnx import TensorProto, helper

        names = {mapped.place.name for mapped in self._mapped}
        others = [tensor for tensor in model.graph.initializer if tensor.name not in names]
        nodes, tensors = [], []
        for mapped in self._mapped:
            name, shape = mapped.place.name, mapped.place.shape
            channels = shape[mapped.channel_axis]
            whole, scale = f"{name}_quantized", f"{name}_scale"
            kind, length = (TensorProto.INT8, prod(shape))
            if self.kind == "int4":
                kind, length = TensorProto.INT4, -(-prod(shape) // 2)
            tensors.append(helper.make_tensor(whole, kind, shape, bytes(length), raw=True))
            tensors.append(helper.make_tensor(scale, TensorProto.FLOAT, [channels], bytes(4 * channels), raw=True))
            nodes.append(helper.make_node("DequantizeLinear", [whole, scale], [name], axis=mapped.channel_axis))
        nodes += list(model.graph.node)
        inputs = [each for each in model.graph.input if each.name not in names]
        for field, values in (("initializer", [*others, *tensors]), ("node", nodes), ("input", inputs)):
            model.graph.ClearField(field)
            getattr(model.graph, field).extend(values)
        return bytes(model.SerializeToString())


def _prepared(data: bytes, version: int, *, always: bool = False) -> Any | None:
    """Return the model in an operator set that has what is needed; None where one of its operators is not in it."""
    import onnx

    model = onnx.load_from_string(data)
    ours = next(each for each in model.opset_import if each.domain in ("", "ai.onnx"))
    if ours.version >= version:
        return model
    ours.version = version
    if version == _FOUR_SINCE:
        model.ir_version = max(model.ir_version, _FOUR_FORMAT)
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError:
        return onnx.load_from_string(data) if always else None
    return model


def _nibbles(integers: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Return whole numbers two a byte, the first in its lower half."""
    halves = integers.reshape(-1).view(np.uint8) & 15
    if halves.size % 2:
        halves = np.append(halves, np.uint8(0))
    return np.asarray(halves[::2] | halves[1::2] << 4, np.uint8)
