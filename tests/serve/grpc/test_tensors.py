"""`TensorProto` and NumPy: there and back, TensorFlow's rules for what is short, and nothing malformed gets through."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from tests.serve.grpc.models import NUMBERS
from workbench.serve.grpc.messages import enum_numbers, message
from workbench.serve.grpc.tensors import read_tensor, read_tensors, write_tensor
from workbench.serve.signature import Tensor
from workbench.serve.status import Code, RequestError

MOST = 1 << 20
FIELDS = {
    "float_val": "DT_FLOAT",
    "double_val": "DT_DOUBLE",
    "int_val": "DT_INT32",
    "int64_val": "DT_INT64",
    "uint32_val": "DT_UINT32",
    "uint64_val": "DT_UINT64",
    "bool_val": "DT_BOOL",
    "string_val": "DT_STRING",
}


def tensor(dtype: str | int, shape: tuple[int, ...] = (), **fields: Any) -> Any:
    number = enum_numbers("tensorflow.DataType")[dtype] if isinstance(dtype, str) else dtype
    proto = message("tensorflow.TensorProto")(dtype=number, **fields)
    for size in shape:
        proto.tensor_shape.dim.add().size = size
    return proto


def there_and_back(array: Any, *, as_content: bool) -> Any:
    proto = message("tensorflow.TensorProto")()
    write_tensor(array, proto, as_content=as_content)
    return read_tensor(message("tensorflow.TensorProto").FromString(proto.SerializeToString()), "x", MOST)


@pytest.mark.parametrize("as_content", [False, True])
@pytest.mark.parametrize("dtype", [*NUMBERS, "complex64", "complex128"])
@given(data=st.data())
@settings(max_examples=25)
def test_numbers_there_and_back(dtype: str, as_content: bool, data: st.DataObject) -> None:  # noqa: FBT001
    array = data.draw(st_numpy.arrays(np.dtype(dtype), st_numpy.array_shapes(min_dims=0, min_side=0, max_side=4)))
    found = there_and_back(array, as_content=as_content)
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert found.tobytes() == array.tobytes()


@pytest.mark.parametrize("as_content", [False, True])
@given(texts=st.lists(st.binary(max_size=300), max_size=5))
@settings(max_examples=25)
def test_strings_there_and_back(as_content: bool, texts: list[bytes]) -> None:  # noqa: FBT001
    array = np.empty(len(texts), object)
    array[:] = texts
    assert there_and_back(array, as_content=as_content).tolist() == texts


def test_text_is_written_as_utf8() -> None:
    assert there_and_back(np.array([["é", "b"]]), as_content=False).tolist() == [["é".encode(), b"b"]]


def test_an_array_with_gaps_is_written() -> None:
    array = np.arange(12, dtype=np.float32).reshape(3, 4)[:, ::2]
    for as_content in (False, True):
        assert there_and_back(array, as_content=as_content).tolist() == array.tolist()


def test_every_type_of_a_signature_can_be_read() -> None:
    for dtype in (*NUMBERS, "string"):
        read = read_tensor(tensor(Tensor("x", dtype, ()).proto_type), "x", MOST)
        assert read.dtype == (object if dtype == "string" else np.dtype(dtype))


@pytest.mark.parametrize(
    ("values", "shape", "expected"),
    [
        ([1.0], (2, 2), [[1, 1], [1, 1]]),
        ([1.0, 2.0], (3,), [1, 2, 2]),
        ([], (2,), [0, 0]),
        ([1.0, 2.0, 3.0], (2,), [1, 2]),
        ([5.0], (), 5),
        ([], (), 0),
        ([1.0], (0, 3), []),
    ],
    ids=["one fills all", "the last fills the rest", "none is zero", "too many", "scalar", "zero scalar", "empty"],
)
def test_short_and_long_fields(values: list[float], shape: tuple[int, ...], expected: Any) -> None:
    found = read_tensor(tensor("DT_FLOAT", shape, float_val=values), "x", MOST)
    assert found.tolist() == expected
    assert found.shape == shape


@pytest.mark.parametrize("field", [field for field in FIELDS if field != "string_val"])
def test_one_value_fills_in_every_field(field: str) -> None:
    assert read_tensor(tensor(FIELDS[field], (3,), **{field: [1]}), "x", MOST).tolist() == [1, 1, 1]


def test_strings_fill_too() -> None:
    assert read_tensor(tensor("DT_STRING", (3,), string_val=[b"a", b"b"]), "x", MOST).tolist() == [b"a", b"b", b"b"]
    assert read_tensor(tensor("DT_STRING", (2,)), "x", MOST).tolist() == [b"", b""]


def test_halves_are_bits() -> None:
    bits = int(np.array(1.5, np.float16).view(np.uint16))
    assert read_tensor(tensor("DT_HALF", (1,), half_val=[bits]), "x", MOST).tolist() == [1.5]


def test_numbers_that_are_not_packed() -> None:
    unpacked = b"\x08\x01" + b"\x12\x04\x12\x02\x08\x02" + b"".join(b"\x2d" + np.float32(n).tobytes() for n in (1, 2))
    assert read_tensor(message("tensorflow.TensorProto").FromString(unpacked), "x", MOST).tolist() == [1, 2]


MALFORMED = {
    "no type": tensor(0, (1,)),
    "unknown type": tensor(77, (1,)),
    "resource": tensor("DT_RESOURCE", (1,)),
    "bfloat16": tensor("DT_BFLOAT16", (1,)),
    "negative size": tensor("DT_FLOAT", (-1,)),
    "rank 65": tensor("DT_FLOAT", (1,) * 65, float_val=[1]),
    "beyond memory": tensor("DT_FLOAT", (0, 1 << 40, 1 << 40)),
    "content too short": tensor("DT_FLOAT", (2,), tensor_content=b"1234"),
    "content too long": tensor("DT_FLOAT", (1,), tensor_content=b"12345678"),
    "no int8": tensor("DT_INT8", (1,), int_val=[200]),
    "no uint16": tensor("DT_UINT16", (1,), int_val=[-1]),
    "no half": tensor("DT_HALF", (1,), half_val=[70_000]),
    "half a complex": tensor("DT_COMPLEX64", (1,), scomplex_val=[1]),
    "strings of no length": tensor("DT_STRING", (2,), tensor_content=b"\x01"),
    "strings cut off": tensor("DT_STRING", (1,), tensor_content=b"\x05ab"),
    "strings too long": tensor("DT_STRING", (1,), tensor_content=b"\x01abc"),
    "a length of many bytes": tensor("DT_STRING", (1,), tensor_content=b"\xff" * 12),
}


@pytest.mark.parametrize("proto", MALFORMED.values(), ids=MALFORMED)
def test_malformed_tensors(proto: Any) -> None:
    with pytest.raises(RequestError, match="tensor parsing error: x: ") as refused:
        read_tensor(proto, "x", MOST)
    assert refused.value.code is Code.INVALID_ARGUMENT


def test_a_shape_without_a_rank() -> None:
    proto = tensor("DT_FLOAT")
    proto.tensor_shape.unknown_rank = True
    with pytest.raises(RequestError, match="no rank"):
        read_tensor(proto, "x", MOST)


def test_bytes_that_are_no_bools_become_true() -> None:
    found = read_tensor(tensor("DT_BOOL", (3,), tensor_content=b"\x00\x02\x01"), "x", MOST)
    assert found.view(np.uint8).tolist() == [0, 1, 1]


def test_all_tensors_together_have_a_bound() -> None:
    protos = {name: tensor("DT_FLOAT", (100,), float_val=[1]) for name in "abc"}
    assert read_tensors(protos, 1200).keys() == {"a", "b", "c"}
    with pytest.raises(RequestError) as refused:
        read_tensors(protos, 1199)
    assert refused.value.code is Code.RESOURCE_EXHAUSTED


@given(
    dtype=st.integers(-1, 30),
    shape=st.lists(st.integers(-2, 4) | st.integers(), max_size=4),
    content=st.binary(max_size=24),
    fields=st.fixed_dictionaries(
        {},
        optional={
            "float_val": st.lists(st.floats(width=32), max_size=3),
            "int_val": st.lists(st.integers(-(1 << 31), (1 << 31) - 1), max_size=3),
            "half_val": st.lists(st.integers(-(1 << 31), (1 << 31) - 1), max_size=3),
            "scomplex_val": st.lists(st.floats(width=32), max_size=3),
            "string_val": st.lists(st.binary(max_size=3), max_size=3),
            "bool_val": st.lists(st.booleans(), max_size=3),
        },
    ),
)
@settings(max_examples=300)
def test_any_tensor_is_read_or_refused(dtype: int, shape: list[int], content: bytes, fields: dict[str, Any]) -> None:
    sizes = [max(min(size, (1 << 63) - 1), -(1 << 63)) for size in shape]
    proto = tensor(dtype, tuple(sizes), tensor_content=content, **fields)
    try:
        found = read_tensor(proto, "x", MOST)
    except RequestError as error:
        assert error.code in (Code.INVALID_ARGUMENT, Code.RESOURCE_EXHAUSTED)  # noqa: PT017 - either is right
    else:
        assert list(found.shape) == sizes
        assert found.nbytes <= MOST
        assert there_and_back(found, as_content=False).tobytes() == found.tobytes() or found.dtype == object
