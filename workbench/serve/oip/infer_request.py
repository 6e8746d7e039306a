"""An inference request over HTTP: JSON, JSON before binary tensors, or the bytes of one tensor alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.serve.oip.binary import read_binary, read_raw
from workbench.serve.oip.datatypes import datatype_of
from workbench.serve.oip.inputs import Declared, complete, cut, declare, put, wanted
from workbench.serve.oip.json_body import parse_infer
from workbench.serve.oip.json_numbers import read_numbers
from workbench.serve.status import Code, RequestError, invalid

if TYPE_CHECKING:
    import numpy as np

    from workbench.serve.signature import Signature

    Array = np.ndarray[Any, Any]

_SIZE = "binary_data_size"
# Of extensions that are not offered; to answer as if they had not been asked for would be wrong.
_UNSUPPORTED = ("shared_memory_region", "classification")


@dataclass(frozen=True, slots=True)
class InferRequest:
    """What a request asks.

    Attributes:
        feeds: An array for each input of the model.
        id: What the reply shall repeat; empty where there is nothing.
        outputs: Outputs asked for, and whether as bytes (None: as `binary` says); None asks for all.
        binary: Whether outputs are sent as bytes where nothing else is said.
    """

    feeds: dict[str, Array]
    id: str = ""
    outputs: dict[str, bool | None] | None = None
    binary: bool = False

    def as_bytes(self, name: str) -> bool:
        """Tell whether an output is sent as bytes."""
        said = None if self.outputs is None else self.outputs[name]
        return self.binary if said is None else said


def read_infer(body: bytes, header: int | None, model: str, signature: Signature, depth: int) -> InferRequest:
    """Read a request's body.

    Args:
        body: The whole body, inflated.
        header: Bytes of JSON it begins with, as `Inference-Header-Content-Length` says; None where it is all JSON, 0
            where there is none.
        model: Model name, for messages.
        signature: What the model takes.
        depth: Lists in one another at most.

    Raises:
        RequestError: INVALID_ARGUMENT with one sentence; UNIMPLEMENTED where an extension is asked for that is not
            offered.
    """
    if not body:
        raise invalid("the request has no body")
    if header == 0:
        return _raw(body, model, signature)
    document = parse_infer(body if header is None else body[:header])
    feeds = _feeds(document, memoryview(body)[len(body) if header is None else header :], model, signature, depth)
    parameters = _parameters(document, "the request")
    return InferRequest(
        feeds,
        id=_text(document, "id"),
        outputs=_outputs(document.get("outputs"), model, signature),
        binary=_flag(parameters, "binary_data_output") or False,
    )


def _raw(body: bytes, model: str, signature: Signature) -> InferRequest:
    if len(signature.inputs) != 1:
        raise invalid(
            f"Raw request must only have 1 input to be deduced but got {len(signature.inputs)} inputs in '{model}'"
        )
    tensor = signature.inputs[0]
    shape = read_raw(tensor, body)
    declared = declare(model, signature, tensor.name, datatype_of(tensor.dtype), shape)
    if tensor.dtype == "string":
        body = len(body).to_bytes(4, "little") + body
    return InferRequest({tensor.name: read_binary(declared, body)}, binary=True)


def _feeds(
    document: dict[str, Any], rest: memoryview, model: str, signature: Signature, depth: int
) -> dict[str, Array]:
    inputs = document.get("inputs")
    if not isinstance(inputs, list):
        raise invalid("Unable to parse 'inputs': the request must have a list of them")
    feeds: dict[str, Array] = {}
    for one in inputs:
        if not isinstance(one, dict) or not {"name", "shape", "datatype"} <= one.keys():
            raise invalid("Unable to parse 'inputs': each must be an object with 'name', 'shape' and 'datatype'")
        if not isinstance(one["shape"], list):
            raise invalid(f"Unable to parse 'shape': input '{cut(one['name'])}' must have a list of sizes")
        declared = declare(model, signature, one["name"], one["datatype"], one["shape"])
        array, rest = _tensor(declared, one, rest, depth)
        put(feeds, declared.tensor.name, array)
    if len(rest):
        raise invalid(f"unexpected additional input data for model '{model}'")
    complete(model, signature, feeds)
    return feeds


def _tensor(declared: Declared, one: dict[str, Any], rest: memoryview, depth: int) -> tuple[Array, memoryview]:
    name = declared.tensor.name
    parameters = _parameters(one, f"input '{name}'") if "parameters" in one else {}
    data = one.get("data")
    if (data is not None) == (_SIZE in parameters):
        raise invalid(f"Input '{name}' must set either 'data' or '{_SIZE}' in 'parameters'")
    if data is not None:
        return read_numbers(declared, data, depth), rest
    size = parameters[_SIZE]
    if type(size) is not int or size < 0:
        raise invalid(f"Unable to parse '{_SIZE}': input '{name}' must have a whole number of bytes, got {cut(size)}")
    if size > len(rest):
        raise invalid(f"unexpected size for input '{name}', expecting {size - len(rest)} additional bytes")
    return read_binary(declared, rest[:size]), rest[size:]


def _outputs(asked: Any, model: str, signature: Signature) -> dict[str, bool | None] | None:
    if not asked and (asked is None or isinstance(asked, list)):
        return None
    if not isinstance(asked, list):
        raise invalid("Unable to parse 'outputs': they must be a list")
    found: dict[str, bool | None] = {}
    for one in asked:
        if not isinstance(one, dict) or "name" not in one:
            raise invalid("Unable to parse 'outputs': each must be an object with a 'name'")
        name = wanted(model, signature, one["name"])
        found[name] = _flag(_parameters(one, f"output '{name}'"), "binary_data")
    return found


def _parameters(holder: dict[str, Any], of_what: str) -> dict[str, Any]:
    found = holder.get("parameters")
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise invalid(f"Unable to parse 'parameters': those of {of_what} must be an object")
    for name, value in found.items():
        if name in _UNSUPPORTED:
            raise RequestError(Code.UNIMPLEMENTED, f"'{name}' is of an extension that this server does not offer")
        if isinstance(value, list | dict):
            raise invalid(f"parameter '{cut(name)}' of {of_what} must be a number, a string, true or false")
    return found


def _flag(parameters: dict[str, Any], name: str) -> bool | None:
    value = parameters.get(name)
    if value is not None and not isinstance(value, bool):
        raise invalid(f"Unable to parse '{name}': it must be true or false")
    return value


def _text(document: dict[str, Any], name: str) -> str:
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid(f"Unable to parse '{name}': it must be a string")
    return value or ""
