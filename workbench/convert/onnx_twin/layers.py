"""Keras layers as they are made for the twin: each with a name from the ONNX graph, and with its weights."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from workbench.convert.onnx_twin.graph import Node

_NO_NAME = re.compile(r"[^A-Za-z0-9_]+")
_COPY = re.compile(r"__\d+$")
_MODEL = re.compile(r"^((program|model|module|_orig_mod)[._])+")


class Layers:
    """Makes tf_keras layers and applies them at once."""

    def __init__(self) -> None:
        self._names: Counter[str] = Counter()

    def add(
        self, kind: str, given: Any, name: str, weights: Sequence[NDArray[Any] | None] = (), /, **config: Any
    ) -> Any:
        """Make a layer, apply it, give it its weights, and return what it gives.

        Args:
            kind: Class in `tf_keras.layers`.
            given: A Keras tensor, or a list of them.
            name: Taken as it is where it is free, with a number otherwise.
            weights: In the layer's order; None is left out.
            **config: The layer's settings.
        """
        import tf_keras

        layer = getattr(tf_keras.layers, kind)(name=self._free(name), **config)
        result = layer(given)
        if weights:
            layer.set_weights([each for each in weights if each is not None])
        return result

    def reshape(self, tensor: Any, shape: Sequence[int | None]) -> Any:
        """Return the tensor with another shape of each sample; itself where it has that."""
        if tuple(tensor.shape[1:]) == tuple(shape):
            return tensor
        return self.add("Reshape", tensor, "reshape", target_shape=tuple(shape))

    def permute(self, tensor: Any, order: Sequence[int]) -> Any:
        """Return the tensor with its axes in another order; counted from 1, the first after the batch."""
        return self.add("Permute", tensor, "permute", dims=tuple(order))

    def flatten(self, tensor: Any) -> Any:
        """Return the tensor with one axis of features; itself where it has no more."""
        return tensor if len(tensor.shape) == 2 else self.add("Flatten", tensor, "flatten")  # noqa: PLR2004

    def unlike(self, name: str, node: Node) -> str:
        """Return a name, with the node's operator behind it where a layer has it already."""
        return f"{name}_{node.kind.lower()}" if _plain(name) in self._names else name

    def _free(self, name: str) -> str:
        name = _plain(name)
        self._names[name] += 1
        return name if self._names[name] == 1 else self._free(f"{name}_{self._names[name] - 1}")


def _plain(name: str) -> str:
    name = _NO_NAME.sub("_", name).strip("_") or "layer"
    return name if name[0].isalpha() else f"layer_{name}"


def name_of(node: Node, weight: str = "") -> str:
    """Return what people would call the layer of a node.

    Torch's weights are called `features.0.weight`, tf2onnx' nodes `model/conv1/Conv2D`; what neither tells is named
    after its operator.

    Args:
        node: It.
        weight: Name of its kernel in the file.
    """
    if weight.endswith(".weight"):
        return _MODEL.sub("", weight.removesuffix(".weight"))
    parts = _COPY.sub("", node.name).strip("/").split("/")
    return parts[-2] if len(parts) > 1 and not parts[-2].isdigit() else node.kind.lower()
