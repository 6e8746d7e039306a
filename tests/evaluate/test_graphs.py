import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from tests.evaluate.graph_models import artifact_of, keras_file, numbers, onnx_graph, small_cnn, written
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.core.workspace import Workspace
from workbench.evaluate.graphs.base import ModelGraph, Operation, readers
from workbench.evaluate.graphs.keras_shapes import result_shape
from workbench.evaluate.graphs.kinds import same_padding
from workbench.evaluate.graphs.protobuf import Message
from workbench.evaluate.graphs.read import read_graph

DOCS_CNN = [
    *("conv2d", "bias", "relu", "max_pool", "conv2d", "bias", "relu", "max_pool", "conv2d", "bias", "relu"),
    *("reshape", "dense", "bias", "relu", "dense", "bias", "softmax"),
]
MOVES = ("transpose", "quantize", "dequantize")


def operations(graph: ModelGraph) -> list[Operation]:
    return [operation for node in graph.nodes for operation in node.operations]


def test_every_file_format_with_a_graph_has_a_reader() -> None:
    assert set(readers.names()) == {"h5", "keras", "onnx", "packed", "saved_model", "tf_keras", "tflite"}


@pytest.mark.parametrize("label", ["tf_keras/float32", "saved_model/float32", "onnx/float32", "tflite/float32"])
def test_the_docs_cnn_is_the_same_operations_and_weights_in_every_format(
    label: str, trained: Artifact, converted: dict[str, Artifact]
) -> None:
    graph = read_graph({trained.label: trained, **converted}[label])
    found = [each for each in operations(graph) if each.kind not in MOVES]
    # tf2onnx reshapes the image, which has one channel, in place of a transposition.
    kinds = [each.kind for each in found]
    assert (kinds[1:] if label.startswith("onnx") else kinds) == DOCS_CNN
    ours = [weight for each in operations(read_graph(trained)) for weight in each.weights]
    theirs = [weight for each in found for weight in each.weights]
    assert [weight.digest for weight in theirs] == [weight.digest for weight in ours]
    assert [weight.role for weight in theirs] == ["kernel", "bias"] * 5
    assert theirs[0].values.shape == (32, 1, 3, 3)  # output channels first
    assert "tensorflow" not in sys.modules


def test_int8_kernels_are_read_as_the_floats_that_they_stand_for(
    trained: Artifact, converted: dict[str, Artifact]
) -> None:
    floats = [each for each in operations(read_graph(trained)) if each.kind == "conv2d"]
    quantised = [each for each in operations(read_graph(converted["tflite/int8"])) if each.kind == "conv2d"]
    for one, other in zip(floats, quantised, strict=True):
        (kernel,), (stored) = one.weights, other.weights[0]
        assert (stored.bits, stored.stored.dtype) == (8, np.int8)
        assert stored.step is not None
        assert (np.abs(kernel.values - stored.values) <= 0.51 * stored.step).all()


def test_a_weight_behind_dequantize_linear_is_its_takers_with_eight_bits(workspace: Workspace) -> None:
    stored = np.arange(-8, 8, dtype=np.int8).reshape(4, 4)
    scale, zero = np.array([0.5, 1, 2, 4], np.float32), np.array([0, 1, 0, 0], np.int8)
    nodes = [
        helper.make_node("DequantizeLinear", ["w", "s", "z"], ["d"], axis=1),
        helper.make_node("MatMul", ["x", "d"], ["y"]),
    ]
    graph = read_graph(
        artifact_of(onnx_graph(nodes, {"w": stored, "s": scale, "z": zero}).SerializeToString(), workspace)
    )
    (kernel,) = next(each for each in operations(graph) if each.kind == "dense").weights
    assert (kernel.bits, kernel.name) == (8, "w")
    assert np.array_equal(kernel.values, ((stored.astype(np.float32) - zero) * scale).T)
    assert [(node.operator, node.kind) for node in graph.nodes] == [
        ("MatMul", "dense"), ("DequantizeLinear", "dequantize"),
    ]  # fmt: skip
    assert [weight.bytes for weight in graph.weights()] == [16]


def test_the_order_of_nodes_in_the_file_plays_no_part(workspace: Workspace) -> None:
    model = small_cnn()
    other = small_cnn()
    del other.graph.node[:]
    other.graph.node.extend([*model.graph.node[1:], model.graph.node[0]])
    names = [
        [node.name for node in read_graph(artifact_of(each.SerializeToString(), workspace)).nodes]
        for each in (model, other)
    ]
    assert names[0] == names[1] == ["conv1", "relu1", "pool1", "conv2", "relu2", "pool2", "flatten", "dense"]


def test_operators_that_nobody_knows_are_nodes_too(workspace: Workspace) -> None:
    nodes = [
        helper.make_node("Invented", ["x"], ["h"], domain="made.up", name="strange", strength=3),
        helper.make_node("Relu", ["h"], ["y"], name="known"),
    ]
    graph = read_graph(artifact_of(onnx_graph(nodes, {}).SerializeToString(), workspace))
    strange, known = graph.nodes
    assert (strange.operator, strange.kind, strange.attributes["strength"]) == ("made.up.Invented", "other", 3)
    assert known.kind == "relu"


def test_bodies_of_branches_are_read(workspace: Workspace) -> None:
    def body(operator: str) -> onnx.GraphProto:
        node = helper.make_node(operator, ["x"], [operator])
        value = helper.make_tensor_value_info(operator, onnx.TensorProto.FLOAT, None)
        return helper.make_graph([node], operator, [], [value])

    branch = helper.make_node("If", ["yes"], ["y"], then_branch=body("Tanh"), else_branch=body("Sigmoid"))
    model = onnx_graph([branch], {"yes": np.array(1, bool)})
    kinds = {node.kind for node in read_graph(artifact_of(model.SerializeToString(), workspace)).nodes}
    assert kinds == {"branch", "tanh", "sigmoid"}


def test_layers_of_keras_are_laid_open_where_a_model_is_inside_a_model(workspace: Workspace) -> None:
    dense = ("Dense", {"name": "inner", "units": 4, "activation": "swish", "use_bias": True})
    inner = {"name": "block", "layers": [{"class_name": dense[0], "config": dense[1]}]}
    layers = [
        ("InputLayer", {"name": "given", "batch_input_shape": [None, 3]}),
        ("Sequential", inner),
        ("Lambda", {"name": "mystery"}),
    ]
    weights = {"sequential/layers/dense": [numbers(3, 4), numbers(4)]}
    graph = read_graph(artifact_of(keras_file(layers, weights), workspace, "tf_keras"))
    assert [node.name for node in graph.nodes] == ["block/inner", "mystery"]
    assert [each.kind for each in operations(graph)] == ["dense", "bias", "sigmoid", "multiply", "other"]
    assert graph.nodes[0].operations[0].weights[0].values.shape == (4, 3)
    assert (graph.inputs[0].shape, graph.inputs[0].name) == ((None, 3), "given")


@pytest.mark.parametrize(
    ("size", "window", "stride", "padding"),
    [
        (8, 3, 1, (1, 1)),
        (8, 2, 1, (0, 1)),
        (8, 3, 2, (0, 1)),
        (9, 3, 2, (1, 1)),
        (7, 2, 2, (0, 1)),
        (None, 3, 1, (1, 1)),
    ],
)
def test_same_is_told_in_zeros(size: int | None, window: int, stride: int, padding: tuple[int, int]) -> None:
    assert same_padding((size,), (window,), (stride,), (1,)) == padding


def test_same_is_open_where_the_size_is_and_matters() -> None:
    assert same_padding((None,), (3,), (2,), (1,)) == "same"


@pytest.mark.parametrize(
    ("layer", "config", "given", "gives"),
    [
        ("Conv2D", {"filters": 6, "kernel_size": [3, 3], "strides": [2, 2], "padding": "same"}, (None, 9, 8, 3),
         (None, 5, 4, 6)),
        ("Conv1D", {"filters": 6, "kernel_size": [3], "dilation_rate": [2], "padding": "valid"}, (None, 9, 3),
         (None, 5, 6)),
        ("DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 2, "padding": "valid", "strides": 1},
         (None, 9, 8, 3), (None, 7, 6, 6)),
        ("MaxPooling2D", {"pool_size": [2, 2], "padding": "valid", "strides": None}, (None, 9, 8, 3), (None, 4, 4, 3)),
        ("Flatten", {}, (None, 4, 4, 3), (None, 48)),
        ("Dense", {"units": 7}, (None, 5, 4), (None, 5, 7)),
        ("GlobalAveragePooling2D", {}, (None, 4, 4, 3), (None, 3)),
        ("LSTM", {"units": 5, "return_sequences": True}, (None, 9, 3), (None, 9, 5)),
        ("Invented", {}, (None, 9, 3), None),
    ],
)  # fmt: skip
def test_shapes_of_keras_layers(layer: str, config: dict[str, object], given: tuple, gives: tuple | None) -> None:
    assert result_shape(layer, config, [given]) == gives


def test_concatenation_adds_along_its_axis() -> None:
    assert result_shape("Concatenate", {"axis": -1}, [(None, 4, 3), (None, 4, 5)]) == (None, 4, 8)


CUT = {"onnx": "onnx/float32", "tflite": "tflite/float32", "tf_keras": "tf_keras/float32"}


@pytest.mark.parametrize("file_format", CUT)
@pytest.mark.parametrize("kept", [0.0, 0.3, 0.97])
def test_a_truncated_file_is_one_sentence(
    file_format: str, kept: float, trained: Artifact, converted: dict[str, Artifact], workspace: Workspace
) -> None:
    data = {trained.label: trained, **converted}[CUT[file_format]].path.read_bytes()
    cut = artifact_of(data[: int(kept * len(data))], workspace, file_format)  # type: ignore[arg-type]
    with pytest.raises(BadInputError) as told:
        read_graph(cut)
    assert str(told.value).count("\n") == 0
    assert "model must" in str(told.value)


def test_a_mutated_file_is_read_or_refused(workspace: Workspace) -> None:
    draw = np.random.default_rng(0)
    data = small_cnn().SerializeToString()
    read = 0
    for _ in range(60):
        content = bytearray(data)
        for place in draw.integers(0, len(content), 3):
            content[place] = draw.integers(256)
        try:
            read_graph(artifact_of(bytes(content), workspace))
            read += 1
        except BadInputError as error:
            assert "\n" not in str(error)  # noqa: PT017 - one sentence
    assert read


def test_what_is_no_model_at_all_is_one_sentence(workspace: Workspace) -> None:
    for content in (b"", b"not a model", b"\x00" * 64):
        for file_format in ("onnx", "tflite", "keras", "h5", "packed"):
            with pytest.raises(BadInputError):
                read_graph(artifact_of(content, workspace, file_format))  # type: ignore[arg-type]


def test_a_saved_model_without_a_signature_says_what_to_do(workspace: Workspace, tmp_path: Path) -> None:
    folder = workspace.runs / "made-by-tests" / tmp_path.name
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "saved_model.pb").write_bytes(b"")
    found = Artifact.write(folder, file="model", name="empty", format="saved_model", numeric="float32")
    with pytest.raises(BadInputError, match="serving_default"):
        read_graph(found)


def test_formats_without_a_graph_say_what_to_do(workspace: Workspace) -> None:
    with pytest.raises(BadInputError, match="convert it to onnx"):
        read_graph(artifact_of(b"program", workspace, "torch"))


def test_a_subclassed_model_is_code(workspace: Workspace) -> None:
    content = keras_file([], {}, kind="Mine")
    with pytest.raises(BadInputError, match="Sequential or a functional"):
        read_graph(artifact_of(content, workspace, "keras"))


def test_a_foreign_file_is_read_in_a_process_of_its_own_first(tmp_path: Path) -> None:
    model = small_cnn()
    assert len(read_graph(written(model.SerializeToString(), tmp_path / "good")).nodes) == 8
    # A flatbuffer that claims more tables than there are bytes.
    claims = written(b"\x10\x00\x00\x00TFL3" + b"\xff" * 64, tmp_path / "bad", "tflite")
    with pytest.raises(BadInputError, match="whole tflite file"):
        read_graph(claims)


def test_reading_imports_no_framework(tmp_path: Path, converted: dict[str, Artifact], trained: Artifact) -> None:
    folders = [str(each.folder) for each in (trained, *converted.values())]
    code = (
        "import sys; from workbench.core.artifact import Artifact; from workbench.evaluate.graphs.read import _read\n"
        f"for folder in {folders!r}: _read(Artifact.load(folder))\n"
        "sys.exit(str({'tensorflow', 'keras', 'tf_keras', 'torch'} & set(sys.modules) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


@pytest.mark.parametrize("data", [b"\x0a\xff", b"\x0b", b"\x0a\x05ab", b"\x80" * 12])
def test_a_damaged_message_is_no_message(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Message(data)


def test_messages_give_their_fields() -> None:
    # field 1 = 150, field 2 = "ab", field 3 = {field 1 = -1}, field 4 = packed 1, 2, field 5 = 0.5
    data = bytes.fromhex("089601 1202 6162 1a0b 08ffffffffffffffffff01 2202 0102 2d 0000003f".replace(" ", ""))
    message = Message(data)
    assert (message.number(1), message.text(2), message.numbers(4), message.real(5)) == (150, "ab", [1, 2], 0.5)
    assert message.message(3).numbers(1) == [-1]
    assert (message.has(6), message.number(6, 9), message.text(6)) == (False, 9, "")
