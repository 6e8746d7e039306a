"""Holding the tensors of a request to a model's signature, in whatever form they came; wording as Triton's."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from workbench.serve.oip.datatypes import DATATYPES, datatype_of
from workbench.serve.status import RequestError, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from workbench.serve.signature import Signature, Tensor

    Array = np.ndarray[Any, Any]

_FEW_BYTES = 64 * 1024
_MAX_SIZE = 1 << 63
_MAX_SHOWN = 128


@dataclass(frozen=True, slots=True)
class Declared:
    """An input as a request declares it, and it is the model's.

    Attributes:
        tensor: The model's input.
        shape: Sizes as sent, none of them free.
        count: Number of elements.
    """

    tensor: Tensor
    shape: tuple[int, ...]
    count: int

    def shaped(self, flat: Array) -> Array:
        """Return an array of all elements in the declared shape.

        Raises:
            RequestError: INVALID_ARGUMENT, they are more or fewer, or no array can be so large.
        """
        if flat.size != self.count:
            raise invalid(
                f"input '{self.tensor.name}' of shape {shown(self.shape)} must have {self.count} elements,"
                f" got {flat.size}"
            )
        try:
            return flat.reshape(self.shape)
        except ValueError:  # no elements, and yet sizes beyond what NumPy can hold
            raise invalid(f"input '{self.tensor.name}' has an impossible shape: {shown(self.shape)}") from None


def declare(model: str, signature: Signature, name: Any, datatype: Any, shape: Sequence[Any]) -> Declared:
    """Find the input that a request names and compare it with what the request says of it.

    Args:
        model: Model name, for messages.
        signature: What the model takes.
        name: As sent.
        datatype: As sent.
        shape: As sent.

    Raises:
        RequestError: INVALID_ARGUMENT, the model has no such input, or it has another type or shape.
    """
    for tensor in signature.inputs:
        if tensor.name == name:
            break
    else:
        raise invalid(f"unexpected inference input '{cut(name)}' for model '{model}'")
    expected = datatype_of(tensor.dtype)
    if datatype != expected:
        raise _type_error(model, name, datatype, expected)
    for size in shape:
        if type(size) is not int or not 0 <= size < _MAX_SIZE:
            raise invalid(f"input '{name}' must have a shape of whole numbers from 0 on, got {cut(list(shape))}")
    sizes = tuple(shape)
    if not tensor.admits(sizes):
        raise invalid(
            f"unexpected shape for input '{name}' for model '{model}'."
            f" Expected {shown(tensor.shape)}, got {shown(sizes)}."
        )
    return Declared(tensor, sizes, prod(sizes))


def complete(model: str, signature: Signature, feeds: Mapping[str, Array]) -> None:
    """Hold a request to having sent every input.

    Raises:
        RequestError: INVALID_ARGUMENT, some are missing.
    """
    if len(feeds) == len(signature.inputs):
        return
    missing = [one.name for one in signature.inputs if one.name not in feeds]
    raise invalid(
        f"expected {len(signature.inputs)} inputs but got {len(feeds)} inputs for model '{model}'."
        f" Got input(s) {list(feeds)}, but missing required input(s) {missing}."
        " Please provide all required input(s)."
    )


def put(feeds: dict[str, Array], name: str, array: Array) -> None:
    """Take an input.

    Raises:
        RequestError: INVALID_ARGUMENT, it came twice.
    """
    if name in feeds:
        raise invalid(f"input '{name}' already exists in request")
    feeds[name] = array


def wanted(model: str, signature: Signature, name: Any) -> str:
    """Return the name of an output that a request asks for.

    Raises:
        RequestError: INVALID_ARGUMENT, the model has no such output.
    """
    found = next((one.name for one in signature.outputs if one.name == name), None)
    if found is None:
        raise invalid(f"unexpected inference output '{cut(name)}' for model '{model}'")
    return found


def slow_to_read(signature: Signature, size: int) -> bool:
    """Tell whether a request of so many bytes may take long to read even as bytes: strings are read one by one."""
    return size > _FEW_BYTES and any(tensor.dtype == "string" for tensor in signature.inputs)


def examples(feeds: Mapping[str, Array]) -> int:
    """Return how many samples a request has."""
    return max((array.shape[0] for array in feeds.values() if array.ndim), default=1)


def shown(shape: Sequence[int]) -> str:
    """Return a shape as the protocol's messages print it."""
    return cut(f"[{','.join(map(str, shape))}]")


def cut(value: Any) -> str:
    """Return what a client sent as text for a message, not longer than a line."""
    text = str(value)
    return text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…"


def _type_error(model: str, name: str, datatype: Any, expected: str) -> RequestError:
    if not isinstance(datatype, str) or datatype not in DATATYPES:
        return invalid(f"invalid datatype for input {name}: {cut(datatype)}")
    return invalid(f"inference input '{name}' data-type is '{datatype}', but model '{model}' expects '{expected}'")
