"""Weights of a `torch.export` program, read from its archive without torch."""

from __future__ import annotations

import json
import math
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import BadInputError
from workbench.evaluate.tensors.base import StoredTensor, TensorReader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

_CONFIGS = {"weights": "model_weights_config.json", "constants": "model_constants_config.json"}
# Numbers that torch gives its types in a file (`torch._export.serde.schema.ScalarType`); NumPy has no bfloat16.
_DTYPES: dict[int, type[np.generic]] = {
    1: np.uint8, 2: np.int8, 3: np.int16, 4: np.int32, 5: np.int64, 6: np.float16, 7: np.float32, 8: np.float64,
    12: np.bool_,
}  # fmt: skip


class TorchTensors(TensorReader):
    """Reads `.pt2`; what is pickled in it is left alone."""

    def read(self, path: Path) -> Iterator[StoredTensor]:
        """Give parameters and buffers by torch's names, then constants; one that has several names is given once.

        Raises:
            BadInputError: A tensor reaches beyond what is stored.
        """
        with zipfile.ZipFile(path) as archive:
            root = archive.namelist()[0].partition("/")[0]
            for folder, config in _CONFIGS.items():
                seen = []
                listed = json.loads(archive.read(f"{root}/data/{folder}/{config}"))["config"]
                for name, stored in listed.items():
                    meta = stored["tensor_meta"]
                    place = stored["path_name"], meta and (meta["sizes"], meta["strides"], meta["storage_offset"])
                    if stored["use_pickle"] or meta is None or meta["dtype"] not in _DTYPES or place in seen:
                        continue
                    seen.append(place)
                    data = archive.read(f"{root}/data/{folder}/{stored['path_name']}")
                    yield StoredTensor(name, _values(name, data, meta))


def _values(name: str, data: bytes, meta: dict[str, Any]) -> NDArray[np.generic]:
    flat = np.frombuffer(data, _DTYPES[meta["dtype"]])
    sizes, strides = ([int(each["as_int"]) for each in meta[key]] for key in ("sizes", "strides"))
    offset = int(meta["storage_offset"]["as_int"])
    last = offset + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
    if math.prod(sizes) and not (0 <= offset <= last < len(flat) and min(strides, default=0) >= 0):
        raise BadInputError.of(name, rule="must lie within what is stored of it", got=(sizes, strides, offset))
    steps = [stride * flat.itemsize for stride in strides]
    return np.ascontiguousarray(np.lib.stride_tricks.as_strided(flat[offset:], sizes, steps, writeable=False))
