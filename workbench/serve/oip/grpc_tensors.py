"""Tensors in the protocol's messages: typed contents, or raw bytes beside the request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.serve.grpc.packed import add_packed
from workbench.serve.oip.binary import read_binary, texts, write_binary
from workbench.serve.oip.datatypes import BYTES, NO_JSON, array_datatype, datatype_of
from workbench.serve.oip.inputs import complete, declare, put
from workbench.serve.status import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.serve.oip.inputs import Declared
    from workbench.serve.signature import Signature

    Array = np.ndarray[Any, Any]

_FIELDS = {
    "BOOL": "bool_contents",
    **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
    "INT64": "int64_contents",
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    BYTES: "bytes_contents",
}


def read_feeds(request: Any, model: str, signature: Signature) -> dict[str, Array]:
    """Return the arrays of a `ModelInferRequest`, all raw or all typed.

    Args:
        request: The message.
        model: Model name, for messages.
        signature: What the model takes.

    Raises:
        RequestError: INVALID_ARGUMENT, they are not what the model takes.
    """
    raw = request.raw_input_contents
    feeds: dict[str, Array] = {}
    for index, one in enumerate(request.inputs):
        declared = declare(model, signature, one.name, one.datatype, tuple(one.shape))
        if raw and one.HasField("contents"):
            raise invalid(
                "contents field must not be specified when using raw_input_contents"
                f" for '{one.name}' for model '{model}'"
            )
        if raw and index >= len(raw):
            raise invalid(f"unable to find data for input tensor '{one.name}' for model '{model}' in request.")
        array = read_binary(declared, raw[index]) if raw else _typed(declared, one.contents)
        put(feeds, one.name, array)
    if len(raw) > len(request.inputs):
        raise invalid(f"expected {len(request.inputs)} raw_input_contents for model '{model}', got {len(raw)}")
    complete(model, signature, feeds)
    return feeds


def write_outputs(outputs: Mapping[str, Array], reply: Any, *, raw: bool) -> None:
    """Put outputs into a `ModelInferResponse`.

    Args:
        outputs: By name.
        reply: The message.
        raw: As bytes; a type without typed contents makes all of them so.
    """
    arrays = {name: np.asarray(value) for name, value in outputs.items()}
    raw = raw or any(array_datatype(array) not in _FIELDS for array in arrays.values())
    for name, array in arrays.items():
        one = reply.outputs.add(name=name, datatype=array_datatype(array), shape=array.shape)
        if raw:
            reply.raw_output_contents.append(bytes(write_binary(array)))
        else:
            _put_typed(array, one)


def _typed(declared: Declared, contents: Any) -> Array:
    tensor = declared.tensor
    datatype = datatype_of(tensor.dtype)
    field = _FIELDS.get(datatype, "")
    for found, _ in contents.ListFields():
        if found.name != field:
            expected = "raw_input_contents" if datatype in NO_JSON else field
            raise invalid(
                f"unexpected explicit tensor data for input tensor '{tensor.name}' of type '{datatype}':"
                f" {found.name}, expected {expected}"
            )
    values = getattr(contents, field) if field else ()
    if datatype == BYTES:
        strings = np.empty(len(values), dtype=object)
        strings[:] = list(values)
        return declared.shaped(strings)
    dtype = np.dtype(tensor.dtype)
    array = np.asarray(values) if len(values) else np.empty(0, dtype)
    if dtype.kind in "iu" and array.dtype != dtype and array.size:
        info = np.iinfo(dtype)
        if int(array.min()) < info.min or int(array.max()) > info.max:
            raise invalid(f"input '{tensor.name}' must have values between {info.min} and {info.max}")
    return declared.shaped(array.astype(dtype, copy=False))


def _put_typed(array: Array, output: Any) -> None:
    field = _FIELDS[output.datatype]
    output.contents.SetInParent()
    if output.datatype == BYTES:
        output.contents.bytes_contents.extend(texts(array))
    elif array.dtype.kind in "fb":
        add_packed(output.contents, field, bytes(write_binary(array)))
    else:
        getattr(output.contents, field).extend(array.reshape(-1).tolist())
