"""ONNX: every input and output by name and type, and what the model cannot answer is the request's fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from workbench.core.errors import BadInputError
from workbench.serve.engines import Engine, ModelFile
from workbench.serve.engines.base import open_file
from workbench.serve.signature import DEFAULT

if TYPE_CHECKING:
    from pathlib import Path

FLOAT, INT64, STRING = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING


def value(name: str, kind: int, *shape: Any) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def content(nodes: list[Any], inputs: list[Any], outputs: list[Any]) -> bytes:
    graph = helper.make_graph(nodes, "g", inputs, outputs)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    raw: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()
    return raw


def opened(folder: Path, *parts: Any) -> Engine:
    path = folder / "model.onnx"
    path.write_bytes(content(*parts))
    return open_file(ModelFile(path, "onnx"), 1)


def test_several_inputs_and_outputs(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Add", ["a", "b"], ["sum"]),
        helper.make_node("Cast", ["a"], ["whole"], to=INT64),
    ]
    engine = opened(
        tmp_path,
        nodes,
        [value("a", FLOAT, "n", 2), value("b", FLOAT, "n", 2)],
        [value("sum", FLOAT, "n", 2), value("whole", INT64, "n", 2)],
    )
    one = engine.signatures[DEFAULT]
    assert [(tensor.name, tensor.dtype, tensor.shape) for tensor in (*one.inputs, *one.outputs)] == [
        ("a", "float32", (-1, 2)),
        ("b", "float32", (-1, 2)),
        ("sum", "float32", (-1, 2)),
        ("whole", "int64", (-1, 2)),
    ]
    a = np.array([[1.5, 2.5]], np.float32)
    outputs = engine.run(DEFAULT, {"a": a, "b": a})
    assert list(outputs) == ["sum", "whole"]
    assert (outputs["sum"].tolist(), outputs["whole"].tolist()) == ([[3, 5]], [[1, 2]])


def test_arrays_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    engine = opened(
        tmp_path,
        [helper.make_node("MatMul", ["a", "b"], ["c"])],
        [value("a", FLOAT, "n", "k"), value("b", FLOAT, "k", "m")],
        [value("c", FLOAT, "n", "m")],
    )
    with pytest.raises(BadInputError) as caught:
        engine.run(DEFAULT, {"a": np.ones((2, 3), np.float32), "b": np.ones((4, 2), np.float32)})
    assert "[2, 3]" in str(caught.value)
    assert "onnxruntime" not in str(caught.value)


def test_texts_go_in_and_out_as_bytes(tmp_path: Path) -> None:
    mapping = helper.make_node(
        "LabelEncoder", ["s"], ["t"], domain="ai.onnx.ml", keys_strings=["ü"], values_strings=["ö"], default_string="?"
    )
    engine = opened(tmp_path, [mapping], [value("s", STRING, "n")], [value("t", STRING, "n")])
    texts = np.array(["ü".encode(), b"x"], dtype=object)
    assert engine.run(DEFAULT, {"s": texts})["t"].tolist() == ["ö".encode(), b"?"]
    with pytest.raises(BadInputError, match="UTF-8"):
        engine.run(DEFAULT, {"s": np.array([b"\xff"], dtype=object)})


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_a_fixed_batch_takes_any_number(tmp_path: Path, rows: int) -> None:
    engine = opened(
        tmp_path,
        [helper.make_node("Mul", ["a", "b"], ["c"])],
        [value("a", FLOAT, 2, 3), value("b", FLOAT, 2, 3)],
        [value("c", FLOAT, 2, 3)],
    )
    one = engine.signatures[DEFAULT]
    assert ([tensor.shape for tensor in one.inputs], one.made_for, one.batched) == ([(-1, 3), (-1, 3)], 2, False)
    a = np.arange(rows * 3, dtype=np.float32).reshape(rows, 3)
    assert engine.run(DEFAULT, {"a": a, "b": a})["c"].tolist() == (a * a).tolist()
    with pytest.raises(BadInputError, match="same number of samples"):
        engine.run(DEFAULT, {"a": a, "b": np.concatenate([a, a])})


def test_first_axes_that_differ_are_no_batch(tmp_path: Path) -> None:
    engine = opened(
        tmp_path,
        [helper.make_node("MatMul", ["a", "b"], ["c"])],
        [value("a", FLOAT, "n", 3), value("b", FLOAT, 3, 2)],
        [value("c", FLOAT, "n", 2)],
    )
    assert not engine.signatures[DEFAULT].batched
    assert engine.signatures[DEFAULT].inputs[1].shape == (3, 2)


def test_outputs_that_are_no_tensors_are_left_out(tmp_path: Path) -> None:
    zipmap = helper.make_node("ZipMap", ["x"], ["maps"], domain="ai.onnx.ml", classlabels_strings=["a", "b"])
    maps = helper.make_value_info(
        "maps",
        helper.make_sequence_type_proto(helper.make_map_type_proto(STRING, helper.make_tensor_type_proto(FLOAT, None))),
    )
    nodes = [zipmap, helper.make_node("Identity", ["x"], ["same"])]
    engine = opened(tmp_path, nodes, [value("x", FLOAT, "n", 2)], [maps, value("same", FLOAT, "n", 2)])
    assert list(engine.run(DEFAULT, {"x": np.ones((1, 2), np.float32)})) == ["same"]
    with pytest.raises(BadInputError, match="must take and give tensors"):
        opened(tmp_path, [zipmap], [value("x", FLOAT, "n", 2)], [maps])


def test_a_damaged_file_is_said_without_its_place(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(BadInputError) as caught:
        open_file(ModelFile(path, "onnx"), 1)
    assert str(tmp_path) not in str(caught.value)
