"""The two forms of a predict body: row (`instances`) and columnar (`inputs`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.serve.rest.json_read import is_base64, read_tensor, shown
from workbench.serve.status import RequestError, invalid

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from workbench.serve.signature import Signature, Tensor

    Feeds = dict[str, np.ndarray[Any, Any]]


@dataclass(frozen=True)
class PredictBody:
    """What a body asked: an array for each input, and the form its reply must have."""

    feeds: Feeds
    by_row: bool
    signature: str


def read_predict(document: dict[str, Any], find_signature: Callable[[str], Signature]) -> PredictBody:
    """Read a parsed body.

    Args:
        document: The body; unknown keys are ignored.
        find_signature: Gives a signature by name, the default one for an empty name.

    Raises:
        RequestError: INVALID_ARGUMENT in TensorFlow Serving's words.
    """
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(
            f"JSON Value: {shown(document)} not formatted correctly. 'signature_name' key must be a string value."
        )
    tensors = {tensor.name: tensor for tensor in find_signature(name).inputs}
    if "instances" in document and "inputs" in document:
        raise invalid(
            f"JSON Value: {shown(document)} Not formatted correctly expecting only"
            " one of 'inputs' or 'instances' keys to exist "
        )
    if "instances" in document:
        return PredictBody(_rows(document, tensors), by_row=True, signature=name)
    if "inputs" in document:
        return PredictBody(_columns(document["inputs"], tensors), by_row=False, signature=name)
    raise invalid("Missing 'inputs' or 'instances' key")


def _columns(value: Any, tensors: dict[str, Tensor]) -> Feeds:
    if not isinstance(value, dict) or is_base64(value):
        if len(tensors) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple"
                " input tensors required as per tensorinfo_map"
            )
        name, tensor = next(iter(tensors.items()))
        return {name: read_tensor(value, tensor)}
    missing = next((name for name in sorted(tensors) if name not in value), None)
    if missing is not None:
        raise invalid(f"Missing named input: {missing} in 'inputs' object.")
    return {name: read_tensor(value[name], tensor) for name, tensor in tensors.items()}


def _rows(document: dict[str, Any], tensors: dict[str, Tensor]) -> Feeds:
    rows = document["instances"]
    if not isinstance(rows, list):
        raise invalid(f"JSON Value: {shown(document)} Excepting 'instances' to be an list/array")
    if not rows:
        raise invalid(f"JSON Value: {shown(document)} No values in 'instances' array")
    if not isinstance(rows[0], dict) and len(tensors) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple"
            " input tensors required as per tensorinfo_map"
        )
    if _is_named(rows[0]):
        return _named_rows(rows, tensors)
    for index, row in enumerate(rows):
        if _is_named(row):
            raise invalid(f"Expecting value/list but got object at item {index} of input list")
    name, tensor = next(iter(tensors.items()))
    return {name: _stack(rows, tensor, key="")}


def _is_named(row: Any) -> bool:
    return isinstance(row, dict) and not is_base64(row)


def _named_rows(rows: list[Any], tensors: dict[str, Tensor]) -> Feeds:
    for index, row in enumerate(rows):
        if not _is_named(row):
            raise invalid(f"Expecting object but got list at item {index} of input list")
        unknown = next((name for name in row if name not in tensors), None)
        if unknown is not None:
            raise invalid(
                f"Failed to process element: {index} key: {unknown} of 'instances' list. Error: "
                f"INVALID_ARGUMENT: JSON object: does not have named input: {unknown}"
            )
        if len(row) != len(tensors):
            raise invalid(
                f"Failed to process element: {index} of 'instances' list. JSON object: {shown(row)}"
                f" keys must be equal to: {','.join(sorted(tensors))}"
            )
    return {name: _stack([row[name] for row in rows], tensor, f" key: {name}") for name, tensor in tensors.items()}


def _stack(values: list[Any], tensor: Tensor, key: str) -> np.ndarray[Any, Any]:
    try:
        return read_tensor(values, tensor)
    except RequestError as error:
        raise _element_error(values, tensor, key) or error from None


def _element_error(values: list[Any], tensor: Tensor, key: str) -> RequestError | None:
    # Something is wrong with the whole; go through the elements to say with which.
    first: tuple[int, ...] | None = None
    for index, value in enumerate(values):
        prefix = f"Failed to process element: {index}{key} of 'instances' list. Error: INVALID_ARGUMENT: "
        try:
            array = read_tensor(value, tensor)
        except RequestError as error:
            return invalid(prefix + error.message)
        first = array.shape if first is None else first
        if array.size != _size(first):
            return invalid(f"{prefix}Expecting tensor size: {_size(first)} but got: {array.size}")
        if array.shape != first:
            return invalid(f"{prefix}Expecting shape {_text(first)} but got: {_text(array.shape)}")
    return None


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size


def _text(shape: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, shape))}]"
