"""`TensorProto` to NumPy and back, as TensorFlow's own `FromProto` and `AsProtoField` do it, but bounded."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.serve.grpc.messages import enum_numbers
from workbench.serve.grpc.packed import add_packed, join_strings, split_strings
from workbench.serve.status import Code, RequestError, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    Array = np.ndarray[Any, Any]

_MAX_RANK = 64  # NumPy's own bound; TensorFlow's is 254
_MAX_COUNT = 1 << 58


class _Form(NamedTuple):
    """How a type travels: its field, and what one value of that field is to NumPy."""

    dtype: np.dtype[Any]
    field: str
    item: np.dtype[Any]
    items: int = 1  # values of the field that make one element


def _form(dtype: str, field: str, item: str | None = None, items: int = 1) -> _Form:
    return _Form(np.dtype(dtype), field, np.dtype(item or dtype), items)


_FORMS = {
    "DT_FLOAT": _form("float32", "float_val"),
    "DT_DOUBLE": _form("float64", "double_val"),
    "DT_HALF": _form("float16", "half_val", "uint16"),
    "DT_INT8": _form("int8", "int_val"),
    "DT_INT16": _form("int16", "int_val"),
    "DT_INT32": _form("int32", "int_val"),
    "DT_INT64": _form("int64", "int64_val"),
    "DT_UINT8": _form("uint8", "int_val"),
    "DT_UINT16": _form("uint16", "int_val"),
    "DT_UINT32": _form("uint32", "uint32_val"),
    "DT_UINT64": _form("uint64", "uint64_val"),
    "DT_BOOL": _form("bool", "bool_val"),
    "DT_COMPLEX64": _form("complex64", "scomplex_val", "float32", 2),
    "DT_COMPLEX128": _form("complex128", "dcomplex_val", "float64", 2),
    "DT_STRING": _form("object", "string_val"),
}
_BY_NUMBER = {enum_numbers("tensorflow.DataType")[name]: form for name, form in _FORMS.items()}
_BY_DTYPE = {form.dtype: enum_numbers("tensorflow.DataType")[name] for name, form in _FORMS.items()}
_NAMES = {number: name for name, number in enum_numbers("tensorflow.DataType").items()}


def read_tensor(proto: Any, name: str, max_bytes: int) -> Array:
    """Return the array that a `TensorProto` holds.

    Values come as raw bytes (`tensor_content`) or in the field of their type. Where that field has fewer values than
    the shape has elements the last one fills the rest, where it has none zero does, where it has more they are not
    looked at.

    Args:
        proto: The message.
        name: The tensor's name, for errors.
        max_bytes: Largest array, bytes: a shape and one value are a small message.

    Returns:
        An array of the proto's type and shape, perhaps read-only; of `bytes` objects where it holds strings.

    Raises:
        RequestError: INVALID_ARGUMENT, there is no such tensor; RESOURCE_EXHAUSTED, it is too large.
    """
    form = _BY_NUMBER.get(proto.dtype)
    if form is None:
        raise _unreadable(name, f"its type {_NAMES.get(proto.dtype, proto.dtype)} is not supported")
    shape, count = _shape(proto.tensor_shape, name)
    needed = count * form.dtype.itemsize
    if needed > max_bytes:
        raise RequestError(Code.RESOURCE_EXHAUSTED, f"Tensor {name} is of {needed} bytes, at most {max_bytes} may be")
    try:
        if count == 0:
            return np.empty(shape, form.dtype)
        flat = _from_content(proto.tensor_content, form, count) if proto.tensor_content else None
        return (_from_field(proto, form, count) if flat is None else flat).reshape(shape)
    except (ValueError, OverflowError) as error:
        raise _unreadable(name, str(error)) from None


def write_tensor(array: Array, proto: Any, *, as_content: bool = False) -> None:
    """Put an array into an empty `TensorProto`.

    Args:
        array: Of a type that the protocol has; strings are objects, `bytes` or `str`.
        proto: The message.
        as_content: Write raw bytes instead of the field of the type.

    Raises:
        KeyError: The protocol has no such type.
    """
    array = np.asarray(array)
    number = _BY_DTYPE[np.dtype(object) if array.dtype.kind in "SU" else array.dtype]
    form = _BY_NUMBER[number]
    proto.dtype = number
    proto.tensor_shape.SetInParent()  # a scalar has a shape too
    for size in array.shape:
        proto.tensor_shape.dim.add().size = size
    if form.field == "string_val":
        texts = [one if isinstance(one, bytes) else str(one).encode() for one in array.ravel().tolist()]
        if as_content:
            proto.tensor_content = join_strings(texts)
        else:
            proto.string_val.extend(texts)
    elif as_content:
        proto.tensor_content = array.tobytes()
    else:
        _to_field(array, form, proto)


def read_tensors(protos: Mapping[str, Any], max_bytes: int) -> dict[str, Array]:
    """Return the arrays of named `TensorProto`s.

    Args:
        protos: The messages by name.
        max_bytes: Most that all arrays together may take, bytes.

    Raises:
        RequestError: As of `read_tensor`.
    """
    arrays: dict[str, Array] = {}
    for name in protos:
        arrays[name] = read_tensor(protos[name], name, max_bytes)
        max_bytes -= arrays[name].nbytes
    return arrays


def _shape(proto: Any, name: str) -> tuple[tuple[int, ...], int]:
    if proto.unknown_rank:
        raise _unreadable(name, "its shape has no rank")
    shape = tuple([one.size for one in proto.dim])
    if len(shape) > _MAX_RANK:
        raise _unreadable(name, f"its rank is {len(shape)}, at most {_MAX_RANK} may be")
    if shape and min(shape) < 0:
        raise _unreadable(name, f"its shape is {list(shape)}")
    count = prod(shape)
    if not count and prod(size for size in shape if size) > _MAX_COUNT:  # NumPy minds, though there is nothing in it
        raise _unreadable(name, "its shape is beyond any memory")
    return shape, count


def _from_content(content: bytes, form: _Form, count: int) -> Array:
    if form.dtype.kind == "O":
        return _strings(split_strings(content, count))
    if len(content) != count * form.dtype.itemsize:
        raise ValueError(f"tensor_content is of {len(content)} bytes instead of {count * form.dtype.itemsize}")
    if form.dtype.kind == "b":  # any other byte than 0 and 1 would be a bool that is neither
        return np.frombuffer(content, np.uint8).astype(np.bool_)
    return np.frombuffer(content, form.dtype.newbyteorder("<")).astype(form.dtype, copy=False)


def _from_field(proto: Any, form: _Form, count: int) -> Array:
    values = getattr(proto, form.field)
    if form.dtype.kind == "O":
        texts = values[:count]
        return _strings(texts + [texts[-1] if texts else b""] * (count - len(texts)))
    found = _checked(np.asarray(values), form.item) if len(values) else np.zeros(form.items, form.item)
    if len(found) % form.items:
        raise ValueError(f"{form.field} has half a number")
    found = found.view(form.dtype)[:count]
    if len(found) == count:
        return found
    return np.concatenate([found, np.full(count - len(found), found[-1], form.dtype)])


def _checked(values: Array, item: np.dtype[Any]) -> Array:
    # The original lets a value that is too large for the type wrap round.
    if item.kind in "iu" and values.dtype != item:
        info = np.iinfo(item)
        if int(values.min()) < info.min or int(values.max()) > info.max:
            raise ValueError(f"a value is no {item.name}")
    return np.ascontiguousarray(values, item)


def _strings(texts: list[bytes]) -> Array:
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array


def _to_field(array: Array, form: _Form, proto: Any) -> None:
    if form.item.kind in "fb":
        values = np.ascontiguousarray(array).view(form.item)
        add_packed(proto, form.field, values.astype(form.item.newbyteorder("<"), copy=False).tobytes())
    else:
        getattr(proto, form.field).extend(np.ascontiguousarray(array).ravel().view(form.item).tolist())


def _unreadable(name: str, why: str) -> RequestError:
    return invalid(f"tensor parsing error: {name}: {why}")
