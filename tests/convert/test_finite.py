"""Weights that are no numbers."""

from pathlib import Path

import h5py
import numpy as np
import onnx
import pytest

from workbench.convert.finite import require_finite
from workbench.core.artifact import Artifact, Format
from workbench.core.errors import BadInputError


def _onnx(path: Path, values: np.ndarray) -> None:
    given, answered = (onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, (1, 4)) for name in "xy")
    held = onnx.numpy_helper.from_array(values, "kernel")
    node = onnx.helper.make_node("Add", ["x", "kernel"], ["y"])
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([node], "g", [given], [answered], [held])), path)


def _h5(path: Path, values: np.ndarray) -> None:
    with h5py.File(path, "w") as file:
        layer = file.create_group("model_weights/dense")
        layer.attrs["weight_names"] = [b"dense/kernel:0"]
        layer.create_dataset("dense/kernel:0", data=values)
        file["model_weights"].attrs["layer_names"] = [b"dense"]


def _artifact(folder: Path, format_: Format, values: np.ndarray) -> Artifact:
    file = f"model.{format_}"
    {"onnx": _onnx, "h5": _h5}[format_](folder / file, values)
    return Artifact.write(folder, file=file, name="m", format=format_, numeric="float32")


@pytest.mark.parametrize(
    ("format_", "value", "named"),
    [
        ("onnx", np.nan, "kernel must hold finite numbers only to be converted, got '1 of 4 that are not, in model.on"),
        ("h5", np.nan, "dense/0 must hold finite numbers"),
        ("h5", np.inf, "dense/0 must hold finite numbers"),
    ],
)
def test_the_tensor_is_named(format_: Format, value: float, named: str, tmp_path: Path) -> None:
    values = np.float32([0, value, 1, 2]).reshape(1, 4)
    with pytest.raises(BadInputError, match=named):
        require_finite(_artifact(tmp_path, format_, values))


def test_a_mask_in_a_graph_may_be_minus_infinity(tmp_path: Path) -> None:
    require_finite(_artifact(tmp_path, "onnx", np.float32([[0, -np.inf, 1, 2]])))


@pytest.mark.parametrize("format_", ["onnx", "h5"])
def test_numbers_pass(format_: Format, tmp_path: Path) -> None:
    require_finite(_artifact(tmp_path, format_, np.float32([[0, -1, 1, 2]])))
