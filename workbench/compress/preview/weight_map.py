"""Which initializer of an ONNX file each Keras kernel became, checked value by value.

A mask or a codebook is a matter of the Keras weights, since they are what real pruning and clustering see; tf2onnx
writes them in another layout and multiplies the scale of a batch norm that follows a convolution into them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.compress.preview.keras_kernels import KerasKernel, KerasWeights, read_keras_weights
from workbench.evaluate.packing.locate import locate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from workbench.evaluate.packing.ranges import Range

_RELATIVE, _ABSOLUTE = 1e-5, 1e-6
_FLOAT32 = 4
_DEPTHWISE = ("DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D")


@dataclass(frozen=True)
class MappedKernel:
    """One kernel and the initializer that holds it.

    Attributes:
        kernel: As Keras holds it.
        place: The initializer's name, shape and bytes in the file.
        axes: Order of Keras' axes in the initializer; the shape is then the initializer's.
        channel_axis: The initializer's axis of output channels.
        norm: The batch norm whose scale is multiplied in; None where there is none.
        scale: That scale, broadcasting over the initializer; all ones without a norm.
    """

    kernel: KerasKernel
    place: Range
    axes: tuple[int, ...]
    channel_axis: int
    norm: str | None
    scale: NDArray[np.float32]

    def __repr__(self) -> str:
        norm = f", times the scale of {self.norm}" if self.norm is not None else ""
        return f"MappedKernel({self.kernel.weight} {self.kernel.values.shape} -> {self.place.name!r}{norm})"

    @property
    def layout(self) -> NDArray[np.float32]:
        """The Keras kernel in the initializer's layout, without the scale."""
        return np.ascontiguousarray(self.kernel.values.transpose(self.axes).reshape(self.place.shape))

    @property
    def initializer(self) -> NDArray[np.float32]:
        """The initializer made anew from the Keras kernel."""
        return self.layout * self.scale


@dataclass(frozen=True)
class WeightMap:
    """The map of one model.

    Attributes:
        kernels: In the model's order.
        unmapped: Why a layer's kernel has no place in the map, by the weight's name.
    """

    kernels: tuple[MappedKernel, ...]
    unmapped: dict[str, str]


def weight_map(keras: Path, onnx: bytes) -> WeightMap:
    """Build and verify the map from a `.keras` file to its conversion.

    Every kernel is laid out as ONNX would have it, times each batch norm's scale where one fits, and belongs to the
    initializer that it then equals to float32's precision.

    Args:
        keras: A model file of tf_keras.
        onnx: The ONNX file made from it.

    Raises:
        BadInputError: One of them cannot be read.
        MissingExtraError: h5py is not installed.
    """
    weights = read_keras_weights(keras)
    stored = {place: read(onnx, place) for place in locate(onnx, "onnx") if place.size == _FLOAT32}
    found = [(kernel, _matches(kernel, weights, stored)) for kernel in weights.kernels]
    taken: set[str] = set()
    mapped, unmapped = [], {}
    for kernel, matches in found:
        free = [match for match in matches if match.place.name not in taken]
        if len(free) != len(matches) or len(matches) > 1:
            unmapped[kernel.weight] = "its values stand in the ONNX file more than once, or for several layers"
        elif not matches:
            unmapped[kernel.weight] = "no initializer of the ONNX file holds its values"
        else:
            mapped.append(matches[0])
        taken.update(match.place.name for match in matches)
    return WeightMap(tuple(mapped), unmapped)


def read(data: bytes, place: Range) -> NDArray[np.float32]:
    """Return a copy of an initializer's values."""
    values = np.frombuffer(data, "<f4", count=place.length // _FLOAT32, offset=place.offset)
    return values.reshape(place.shape).astype(np.float32)


def _matches(
    kernel: KerasKernel, weights: KerasWeights, stored: dict[Range, NDArray[np.float32]]
) -> list[MappedKernel]:
    found: dict[str, MappedKernel] = {}
    for place, values in stored.items():
        if values.size != kernel.values.size:
            continue
        match = next((each for each in _candidates(kernel, place, weights) if _equal(each, values)), None)
        if match is not None:
            found[place.name] = match
    return list(found.values())


def _equal(candidate: MappedKernel, values: NDArray[np.float32]) -> bool:
    limit = _ABSOLUTE * float(np.abs(values).max(initial=0.0))
    return bool(np.allclose(candidate.initializer, values, rtol=_RELATIVE, atol=limit))


def _candidates(kernel: KerasKernel, place: Range, weights: KerasWeights) -> Iterator[MappedKernel]:
    for axes, channel_axis in _layouts(kernel):
        if channel_axis >= len(place.shape):
            continue
        shape = [1] * len(place.shape)
        shape[channel_axis] = place.shape[channel_axis]
        yield MappedKernel(kernel, place, axes, channel_axis, None, np.ones(shape, np.float32))
        for norm, scale in weights.norms.items():
            if scale.size == shape[channel_axis]:
                yield MappedKernel(kernel, place, axes, channel_axis, norm, scale.reshape(shape))


def _layouts(kernel: KerasKernel) -> list[tuple[tuple[int, ...], int]]:
    """Return orders of the axes that ONNX may have, each with the initializer's axis of output channels."""
    axes = kernel.values.ndim
    if axes == 2:  # noqa: PLR2004 - (in, out) for MatMul and Gemm, or transposed
        return [((0, 1), 1), ((1, 0), 0)]
    window = tuple(range(axes - 2))
    if kernel.kind in _DEPTHWISE and kernel.weight.endswith("/0"):
        # Keras: (…, in, multiplier); ONNX: (in x multiplier, 1, …) with groups.
        return [((axes - 2, axes - 1, *window), 0)]
    if kernel.kind.endswith("Transpose"):
        # Keras: (…, out, in); ONNX: (in, out, …).
        return [((axes - 1, axes - 2, *window), 1)]
    return [((axes - 1, axes - 2, *window), 0)]
