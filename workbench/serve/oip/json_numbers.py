"""From a tensor's JSON values, flat or nested, to an array of its type."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.serve.oip.datatypes import NO_JSON, datatype_of
from workbench.serve.rest.json_read import read_tensor
from workbench.serve.status import RequestError, invalid

if TYPE_CHECKING:
    from workbench.serve.oip.inputs import Declared
    from workbench.serve.signature import Tensor

    Array = np.ndarray[Any, Any]


def read_numbers(declared: Declared, data: Any, depth: int) -> Array:
    """Return the tensor that JSON values hold.

    As in Triton it is the shape that says how they lie: lists in lists are read one after another, however they nest.

    Args:
        declared: Its type and shape.
        data: A list, or an array of all its numbers where they could be read at once.
        depth: Lists in one another at most.

    Raises:
        RequestError: INVALID_ARGUMENT, a value is of another type, or they are more or fewer than the shape says.
    """
    tensor = declared.tensor
    if datatype_of(tensor.dtype) in NO_JSON:
        raise invalid(
            f"receiving {datatype_of(tensor.dtype)} data via JSON is not supported."
            f" Please use the binary data format for input {tensor.name}"
        )
    if isinstance(data, np.ndarray):
        return declared.shaped(_cast(data, tensor))
    if not isinstance(data, list):
        raise invalid(f"input '{tensor.name}' must have its data in a list")
    try:
        flat = read_tensor(_flat(data, depth), tensor)
    except RequestError as error:
        raise RequestError(error.code, f"input '{tensor.name}': {error.message}") from None
    return declared.shaped(flat)


def _cast(numbers: Array, tensor: Tensor) -> Array:
    dtype = np.dtype(tensor.dtype)
    if numbers.dtype == dtype:
        return numbers
    if dtype.kind == "f":
        # A number beyond float32 is infinity, not an error.
        with np.errstate(over="ignore"):
            return numbers.astype(dtype)
    info = np.iinfo(dtype)
    if numbers.size and not (info.min <= numbers.min() and numbers.max() <= info.max):
        raise invalid(f"input '{tensor.name}' must have values between {info.min} and {info.max}")
    return numbers.astype(dtype)


def _flat(values: list[Any], depth: int) -> list[Any]:
    for _ in range(depth):
        kinds = set(map(type, values))
        if list not in kinds:
            return values
        if len(kinds) > 1:
            raise invalid("lists and values must not stand side by side")
        values = list(chain.from_iterable(values))
    raise invalid(f"lists must nest at most {depth} deep")
