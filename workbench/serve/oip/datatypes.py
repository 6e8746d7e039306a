"""The protocol's names of types beside NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np

BYTES = "BYTES"
NO_JSON = frozenset({"FP16"})
"""Types that the protocol gives no JSON form: only binary tensors carry them."""

_NAMES = {
    "bool": "BOOL",
    "uint8": "UINT8",
    "uint16": "UINT16",
    "uint32": "UINT32",
    "uint64": "UINT64",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
    "string": BYTES,
}
DATATYPES = frozenset(_NAMES.values())
_BY_DTYPE = {np.dtype(dtype): name for dtype, name in _NAMES.items() if dtype != "string"}  # a dtype's name is slow


def datatype_of(dtype: str) -> str:
    """Return the protocol's name of a signature's type, e.g. `FP32` for `float32`; another's is made up."""
    return _NAMES.get(dtype, dtype.upper())


def array_datatype(array: np.ndarray[Any, Any]) -> str:
    """Return the protocol's name of an array's type; what is no number is `BYTES`."""
    return _BY_DTYPE.get(array.dtype, BYTES)
