"""What a model is asked and what it answers: named, typed tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np

DEFAULT = "serving_default"

Method = Literal["predict", "classify", "regress"]

TYPES = {
    "float32": ("DT_FLOAT", "float"),
    "float64": ("DT_DOUBLE", "double"),
    "float16": ("DT_HALF", "half"),
    "int8": ("DT_INT8", "int8"),
    "int16": ("DT_INT16", "int16"),
    "int32": ("DT_INT32", "int32"),
    "int64": ("DT_INT64", "int64"),
    "uint8": ("DT_UINT8", "uint8"),
    "uint16": ("DT_UINT16", "uint16"),
    "uint32": ("DT_UINT32", "uint32"),
    "uint64": ("DT_UINT64", "uint64"),
    "bool": ("DT_BOOL", "bool"),
    "string": ("DT_STRING", "string"),
}


def type_name_of(dtype: np.dtype[Any]) -> str:
    """Return TensorFlow's short name of an array's type in messages; NumPy's where it has none."""
    name = "string" if dtype.kind in "OSU" else dtype.name
    return TYPES[name][1] if name in TYPES else name


@dataclass(frozen=True)
class Tensor:
    """One input or output.

    Attributes:
        name: As clients call it.
        dtype: NumPy's name of the type, or `string`.
        shape: Sizes, -1 where free; the first is the batch.
        unknown_rank: Any shape may be fed; `shape` is then empty.
        advisory: Other shapes may be fed too: the model itself refuses those that it cannot take.
        graph_name: What a SavedModel's graph calls it, e.g. `serving_default_x:0`; empty elsewhere.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    unknown_rank: bool = False
    advisory: bool = False
    graph_name: str = ""

    @property
    def proto_type(self) -> str:
        """TensorFlow's enum name, e.g. `DT_FLOAT`."""
        return TYPES[self.dtype][0]

    @property
    def type_name(self) -> str:
        """TensorFlow's short name in messages, e.g. `float`."""
        return TYPES[self.dtype][1]

    def admits(self, shape: tuple[int, ...]) -> bool:
        """Tell whether an array of this shape may be fed."""
        return self.unknown_rank or (
            len(shape) == len(self.shape)
            and all(want in (-1, got) for want, got in zip(self.shape, shape, strict=True))
        )


@dataclass(frozen=True)
class Signature:
    """One way to call a model; tensors in the model's own order.

    Attributes:
        inputs: What must be fed.
        outputs: What is answered.
        method: `classify` and `regress` take serialised `tf.Example`s; only SavedModels have such signatures.
        made_for: Samples a run that the model was made for, where it takes others in parts; None takes any number.
    """

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    method: Method = "predict"
    made_for: int | None = None

    @property
    def batched(self) -> bool:
        """Whether samples of several requests may share a run: the first axis of every tensor is free."""
        return self.made_for is None and all(
            tensor.shape and tensor.shape[0] == -1 for tensor in (*self.inputs, *self.outputs)
        )
