import struct
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import workbench.evaluate
from tests.convert.onnx_files import WEIGHTS, initializers, model, node, save, value, with_external
from workbench.convert.adopt import adopt
from workbench.convert.incoming import Arrival, kind_of, onnx_model
from workbench.convert.incoming.onnx import OnnxIncoming
from workbench.convert.incoming.onnx_model import numeric_of
from workbench.convert.incoming.private_copy import describe
from workbench.core.errors import BadInputError
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.evaluate.runtimes.base import open_runtime

ENDLESS = np.where(WEIGHTS > 0.5, np.float32(np.inf), WEIGHTS)


def _examined(path: Path) -> Any:
    return kind_of(path)().examine(Arrival(path, path.parent, trust=False, signature=None, note=print))


def _refused(path: Path, named: str) -> None:
    with pytest.raises(BadInputError, match=named) as told:
        _examined(path)
    assert "\n" not in str(told.value)


def test_a_model_comes_in_byte_for_byte_whatever_it_is_called(tmp_path: Path, workspace: Workspace) -> None:
    path = save(model(), tmp_path, "called.h5")
    artifact = adopt(path, workspace=workspace)
    assert artifact.label == "onnx/float32"
    assert artifact.path.read_bytes() == path.read_bytes()
    assert artifact.metrics["lost"] == []
    assert [artifact.metrics[side][0]["shape"] for side in ("inputs", "outputs")] == [[-1, 4], [-1, 2]]
    with open_runtime(artifact) as runtime:
        assert runtime.predict(np.ones((3, 4))) == pytest.approx(np.ones((3, 4)) @ WEIGHTS)


def test_a_parsed_model_comes_in(workspace: Workspace) -> None:
    artifact = adopt(model(), workspace=workspace)
    assert artifact.label == "onnx/float32"
    assert artifact.name == "graph"


def test_external_data_is_put_into_the_file(tmp_path: Path, workspace: Workspace) -> None:
    path = with_external(tmp_path, "deep/weights.bin", offset=4)
    (tmp_path / "deep").mkdir()
    data = tmp_path / "deep" / "weights.bin"
    data.write_bytes(b"skip" + WEIGHTS.tobytes())
    artifact = adopt(path, workspace=workspace)
    assert artifact.settings["external_data"] is True
    assert initializers(artifact.path)["weights"] == pytest.approx(WEIGHTS)
    # The same model file with other data beside it is another model.
    data.write_bytes(b"skip" + (2 * WEIGHTS).tobytes())
    assert initializers(adopt(path, workspace=workspace).path)["weights"] == pytest.approx(2 * WEIGHTS)


@pytest.mark.parametrize(
    ("location", "named"),
    [
        ("/etc/passwd", r"files of its own folder, got '/etc/passwd'"),
        ("../secret.bin", r"files of its own folder, got '\.\./secret\.bin'"),
        ("deep/../../secret.bin", "files of its own folder, got 'deep/"),
        ("C:\\secret.bin", "files of its own folder"),
        ("..\\secret.bin", "files of its own folder"),
        ("", "files of its own folder, got ''"),
        ("link.bin", "got 'link.bin, a link'"),
        ("linked/secret.bin", "got 'linked/secret.bin, a link'"),
        ("model.onnx", "got 'model.onnx, the model itself'"),
        ("missing.bin", "got 'missing.bin, which is no file'"),
        ("round.bin", "got 'round.bin, a link'"),
    ],
)
def test_external_data_cannot_point_outside_or_in_circles(location: str, named: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(WEIGHTS.tobytes())
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    (folder / "linked").symlink_to(tmp_path)
    (folder / "round.bin").symlink_to(folder / "round.bin")
    path = with_external(folder, location)
    with pytest.raises(BadInputError, match=named):
        describe(path)


def test_external_data_of_a_graph_inside_of_a_node_is_found(tmp_path: Path) -> None:
    inner = model(node("Identity", ["weights"], ["out"]), inputs=[], outputs=[value("out")]).graph
    tensor = numpy_helper.from_array(np.zeros((1, 4), np.float32), "weights")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    inner.initializer.append(tensor)
    condition = helper.make_node("Constant", [], ["condition"], value=helper.make_tensor("", TensorProto.BOOL, [], [1]))
    path = save(model(condition, node("If", ["condition"], then_branch=inner, else_branch=inner)), tmp_path)
    with pytest.raises(BadInputError, match="/etc/passwd"):
        OnnxIncoming.companions(path)


def test_external_data_of_a_function_s_own_defaults_is_refused(tmp_path: Path) -> None:
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("team", 1)]
    function = helper.make_function("team", "F", ["a"], ["b"], [node("Identity", ["a"], ["b"])], imports)
    tensor = numpy_helper.from_array(np.zeros(4, np.float32), "weights")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "*/_ORT_MEM_ADDR_/*"
    function.attribute_proto.append(helper.make_attribute("value", tensor))
    path = save(model(node("F", domain="team"), domains=("team",), functions=[function]), tmp_path)
    with pytest.raises(BadInputError, match="files of its own folder, got"):
        describe(path)
    with pytest.raises(BadInputError, match="files of its own folder, got"):
        _examined(path)


def test_a_dataset_of_another_shape_is_one_sentence(tmp_path: Path, digits: Dataset, workspace: Workspace) -> None:
    artifact = adopt(save(model(opset=15), tmp_path), workspace=workspace)
    with pytest.raises(BadInputError, match=r"dataset must have samples of the model's shape \(4,\), got"):
        workbench.evaluate(artifact, digits, workspace=workspace)


@pytest.mark.parametrize(("offset", "length"), [(8, 32), (-4, 32), (0, 2**31), (2**40, 4)])
def test_external_data_that_is_too_short_is_one_sentence(offset: int, length: int, tmp_path: Path) -> None:
    path = with_external(tmp_path, offset=offset, length=length)
    (tmp_path / "weights.bin").write_bytes(WEIGHTS.tobytes())
    _refused(path, "must have all of its external data, got 'weights:")


def _two_inputs() -> Any:
    return model(node("Add", ["x", "other"]), inputs=[value("x"), value("other")])


def _two_outputs() -> Any:
    return model(node("Relu"), node("Abs", outputs=["z"]), outputs=[value("y"), value("z")])


def _strings() -> Any:
    return model(node("Identity"), inputs=[value("x", kind=TensorProto.STRING)], outputs=[value("y", 4, 8)])


def _of_version(version: int) -> Any:
    made = model()
    made.ir_version = version
    return made


def _claiming() -> Any:
    made = model()
    made.graph.initializer[0].dims[:] = [1 << 14, 1 << 15]
    return made


def _custom() -> Any:
    return model(node("Secret", domain="team"), domains=("team",))


def _unknown_contribution() -> Any:
    return model(node("Nothing", domain="com.microsoft"), domains=("com.microsoft",))


def _unsorted() -> Any:
    return model(node("Relu", ["later"], ["y"]), node("Abs", ["x"], ["later"]))


@pytest.mark.parametrize(
    ("made", "named"),
    [
        (_two_inputs(), r"must have one input, got \['x', 'other'\]"),
        (_two_outputs(), r"must have one output, got \['y', 'z'\]"),
        (_strings(), "must have numbers as input, got 'x of another kind'"),
        (model(opset=99), f"must have an opset from 1 to {onnx.defs.onnx_opset_version()}, got 99"),
        (_of_version(99), f"must have an IR version from 1 to {onnx.IR_VERSION}, got 99"),
        (_custom(), "of the standard or of ONNX Runtime only, got 'team:Secret'; a custom operation"),
        (_unknown_contribution(), "com.microsoft:Nothing"),
        (model(weights={"weights": np.full((4, 2), np.nan, np.float32)}), "finite weights, got '8 NaN in weights'"),
        (
            model(weights={"weights": np.where(WEIGHTS > 0.5, np.float32(np.inf), WEIGHTS)}),
            "got '3 infinite values in weights'",
        ),
        (_claiming(), r"values that its tensors claim, got 'weights of shape \[16384, 32768\] in 32 bytes'"),
        (_unsorted(), "must be valid ONNX, got .*topologically sorted"),
        (model(node("Nonsense")), "must be valid ONNX, got .*No Op registered for Nonsense"),
    ],
    ids=lambda each: each[:40] if isinstance(each, str) else "",
)
def test_what_cannot_be_used_is_one_sentence(made: Any, named: str, tmp_path: Path) -> None:
    _refused(save(made, tmp_path), named)


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_truncated_file_is_one_sentence(share: float, tmp_path: Path) -> None:
    content = model().SerializeToString()
    path = tmp_path / "model.onnx"
    path.write_bytes(content[: int(share * len(content))])
    _refused(path, "must be a whole ONNX file")


def test_a_length_of_two_gigabytes_is_not_believed(tmp_path: Path) -> None:
    content = model().SerializeToString()
    graph = model().graph.SerializeToString()
    at = content.index(graph)
    path = tmp_path / "model.onnx"
    path.write_bytes(content[: at - 1] + b"\xff\xff\xff\xff\x07" + graph)
    _refused(path, "must be a whole ONNX file")


def test_a_constant_of_terabytes_ends_with_the_engine_refusing_it(tmp_path: Path, workspace: Workspace) -> None:
    shape = numpy_helper.from_array(np.asarray([1 << 20, 1 << 20], np.int64), "shape")
    made = model(
        helper.make_node("Constant", [], ["shape"], value=shape),
        node("ConstantOfShape", ["shape"], ["large"]),
        node("ReduceSum", ["large"], ["total"], keepdims=0),
        node("Add", ["x", "total"]),
    )
    with pytest.raises(BadInputError, match=r"must be a model|must answer a batch of noise"):
        adopt(save(made, tmp_path), workspace=workspace)


def test_there_is_a_limit_to_nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_model, "MOST_NODES", 2)
    names = ["x", "a", "b", "y"]
    chain = [node("Relu", [names[at]], [names[at + 1]]) for at in range(3)]
    _refused(save(model(*chain), tmp_path), "must have at most 2 nodes, got 3")


def test_functions_of_its_own_and_operations_of_the_engine_are_taken(tmp_path: Path) -> None:
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("team", 1)]
    function = helper.make_function("team", "Twice", ["a"], ["b"], [node("Add", ["a", "a"], ["b"])], imports)
    _examined(save(model(node("Twice", domain="team"), domains=("team",), functions=[function]), tmp_path))
    _examined(save(model(node("Gelu", domain="com.microsoft"), domains=("com.microsoft",)), tmp_path))


def test_a_mask_of_infinities_is_no_weight(tmp_path: Path) -> None:
    mask = np.triu(np.full((4, 4), -np.inf, np.float32), 1)
    made = model(node("MatMul", ["x", "weights"], ["z"]), node("Add", ["z", "mask"]))
    for name, values in (("weights", np.eye(4, dtype=np.float32)), ("mask", mask)):
        made.graph.initializer.append(numpy_helper.from_array(values, name))
    made.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 4
    made.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 4
    _examined(save(made, tmp_path))


@pytest.mark.parametrize(
    "content",
    [
        b"\x08\x01\x12\x04\x0a\x02hi",  # a SavedModel's own file
        b"just some text",
        b"\x08" * 64,
        struct.pack("<Q", 7),
        b"\x3a",
    ],
)
def test_other_files_are_not_taken_for_onnx(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    assert not OnnxIncoming.matches(path, content[:64])


@pytest.mark.parametrize(
    ("kinds", "weights", "numeric"),
    [
        (("MatMul",), np.float32, "float32"),
        (("MatMul",), np.float16, "float16"),
        (("QuantizeLinear", "DequantizeLinear", "Conv"), np.int8, "int8"),
        (("QLinearConv",), np.int8, "int8"),
        (("DynamicQuantizeLinear", "MatMulInteger"), np.int8, "dynamic"),
        (("DequantizeLinear", "MatMul"), np.int8, "dynamic"),
        (("MatMulNBits",), np.uint8, "int4"),
    ],
)
def test_the_numeric_type_is_told_from_operations_and_weights(
    kinds: tuple[str, ...], weights: type[np.generic], numeric: str
) -> None:
    graph = helper.make_graph([node(kind) for kind in kinds], "g", [], [])
    graph.initializer.append(numpy_helper.from_array(np.zeros((2, 2), weights), "weights"))
    assert numeric_of(helper.make_model(graph)) == numeric
