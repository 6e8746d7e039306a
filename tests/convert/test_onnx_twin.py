import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

import workbench.convert
import workbench.evaluate
import workbench.train
from workbench.convert.onnx_twin import keras_twin, unknown_operator
from workbench.convert.onnx_twin.graph import BATCH, Graph
from workbench.convert.onnx_twin.layers import name_of
from workbench.convert.onnx_twin.value import Folded
from workbench.convert.onnx_twin.windows import Axis
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.evaluate.graphs.base import readers
from workbench.jobs import submit
from workbench.train.architectures.base import ARCHITECTURES

sys.path.insert(0, str(Path(__file__).parents[1] / "jobs"))
import twin_models


# What cannot be rebuilt is told before a framework is loaded.
def _of_another_domain() -> Any:
    g = twin_models.Graph((4,))
    return g.model(g("FusedMatMul", "x", g.random(4, 2), name="fused", domain="com.microsoft"))


def _recurrent() -> Any:
    g = twin_models.Graph((3, 4))
    return g.model(g("LSTM", "x", g.random(1, 8, 4), g.random(1, 8, 2), name="memory", hidden_size=2))


def _quantised() -> Any:
    g = twin_models.Graph((4,))
    scale, zero = g.value(0.1), g.value(0, np.int8)
    return g.model(g("DequantizeLinear", g("QuantizeLinear", "x", scale, zero), scale, zero))


def _second_output() -> Any:
    g = twin_models.Graph((2, 4, 4))
    g.nodes.append(helper.make_node("MaxPool", ["x"], ["y", "places"], name="pool", kernel_shape=[2, 2]))
    return g.model(g("Add", "y", g("Cast", "places", to=TensorProto.FLOAT)))


def _two_inputs() -> Any:
    g = twin_models.Graph((4,))
    model = g.model(g("Add", "x", "other"))
    model.graph.input.append(helper.make_tensor_value_info("other", TensorProto.FLOAT, ["batch", 4]))
    return model


def _open_height() -> Any:
    model = twin_models.Graph((2, 4, 4)).model("x")
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "height"
    return model


def _whole_numbers() -> Any:
    model = twin_models.Graph((4,)).model("x")
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.INT64
    return model


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_of_another_domain, r"node fused \(FusedMatMul\) has no tf_keras twin: it is an operator of com\.microsoft"),
        (
            _recurrent,
            r"node memory \(LSTM\) has no tf_keras twin: LSTM cannot be rebuilt yet; keep the model as onnx\.",
        ),
        (
            _quantised,
            r"node t0 \(QuantizeLinear\) .* the model is quantised, and a twin can be made of the float32 one",
        ),
        (_second_output, r"node pool \(MaxPool\) .* more than its first output is used"),
        (_two_inputs, r"model must have one input, got \['x', 'other'\]"),
        (_open_height, r"must have an input whose axes are fixed, but for the batch, got 'x \[None, 2, None, 4\]'"),
        (_whole_numbers, "must take float32 to have a tf_keras twin, got 'input x'"),
    ],
)
def test_what_has_no_twin_is_named_before_tensorflow_is_loaded(make: Any, said: str) -> None:
    before = "tensorflow" in sys.modules
    with pytest.raises(BadInputError, match=said) as error:
        keras_twin(make())
    assert "\n" not in str(error.value)
    assert ("tensorflow" in sys.modules) is before


def test_operators_are_judged_without_the_model() -> None:
    assert unknown_operator(["Conv", "Relu", "Reshape", "Gemm", "Softmax"]) == ""
    assert unknown_operator(["Conv", "LSTM"]) == "LSTM cannot be rebuilt yet"


def test_calculations_with_shapes_are_done_once_with_the_batch_left_open() -> None:
    g = twin_models.Graph((2, 4, 4))
    batch = g("Unsqueeze", g("Gather", g("Shape", "x"), g.value(0, np.int64)), g.ints(0))
    target = g("Concat", batch, g("Mul", g.ints(2, 4), g.ints(1, 4)), axis=0)
    graph = Graph(g.model(g("Reshape", "x", target)))
    shapes = {"x": [BATCH, 2, 4, 4]}
    assert [node.kind for node in graph.nodes if not graph.fold(node, shapes)] == ["Reshape"]
    assert graph.constants[target].tolist() == [BATCH, 2, 16]


def test_a_claim_of_gigabytes_is_not_calculated() -> None:
    g = twin_models.Graph((4,))
    zeros = g("ConstantOfShape", g.ints(1 << 20, 1 << 20))
    graph = Graph(g.model(g("Add", "x", zeros)))
    assert zeros not in graph.constants


def test_flattened_features_are_found_again() -> None:
    # (H, W, C) in Keras, (C, H, W) in ONNX.
    folded = Folded((2, 3, 4), (0, 3, 1, 2))
    image = np.arange(24).reshape(2, 3, 4)
    assert image.reshape(-1)[folded.order].tolist() == image.transpose(2, 0, 1).reshape(-1).tolist()


@pytest.mark.parametrize(
    ("length", "window", "stride", "dilation", "wanted"),
    [(28, 5, 1, 1, (2, 2)), (28, 3, 2, 1, (0, 1)), (7, 3, 2, 1, (1, 1)), (8, 2, 2, 1, (0, 0)), (9, 3, 1, 2, (2, 2))],
)
def test_same_padding_is_keras_own(
    length: int, window: int, stride: int, dilation: int, wanted: tuple[int, int]
) -> None:
    assert Axis(2, length, window, stride, dilation, 0, 0).same == wanted


@pytest.mark.parametrize(
    ("name", "weight", "wanted"),
    [
        ("docs_cnn/conv1/Conv2D", "docs_cnn/conv1/Conv2D/ReadVariableOp:0", "conv1"),
        ("node_conv2d", "module.features.0.weight", "features.0"),
        ("/program/Conv_1", "program.module.c.weight", "c"),
        ("Conv__166", "Conv__166_weights_fused_bn", "conv"),
        ("/0/Relu", "", "relu"),
    ],
)
def test_layers_are_called_what_people_called_them(name: str, weight: str, wanted: str) -> None:
    g = twin_models.Graph((4,))
    (node,) = Graph(
        g.model(g("Relu" if not weight else "Conv", "x", *([g.random(1)] if weight else []), name=name))
    ).nodes
    assert name_of(node, weight) == wanted


@pytest.fixture(scope="module")
def answers(workspace: Workspace) -> Any:
    return submit("twin_models:answer", {}, kind="probe", workspace=workspace).wait(300)


@pytest.mark.thorough
@pytest.mark.parametrize("name", twin_models.GRAPHS)
def test_a_twin_answers_as_the_graph_does(name: str, answers: Any) -> None:
    found = answers[name]
    assert found["shapes"][0] == found["shapes"][1]
    assert found["off_by"] < 1e-5


@pytest.mark.thorough
def test_no_layer_is_left_that_only_moves_data(answers: Any) -> None:
    moving = {"Permute", "Reshape"}
    assert moving.isdisjoint(answers["channels_last_with_turns"]["layers"])
    assert moving.isdisjoint(answers["one_channel_by_reshape"]["layers"])
    # With channels first as the input, one turn is what it takes.
    assert answers["flattened_channels_first"]["layers"].count("Permute") == 1


def _layers(artifact: Artifact) -> list[tuple[str, str]]:
    nodes = readers.get("tf_keras")().read(artifact.path).nodes
    return [(node.name, node.operator) for node in nodes]


@pytest.mark.thorough
@pytest.mark.parametrize("name", ARCHITECTURES.names())
def test_an_architecture_comes_back_from_onnx_and_goes_on_to_int8(
    name: str, digits: Dataset, workspace: Workspace
) -> None:
    def convert(source: Artifact, form: Any, numeric: Any = "float32") -> Artifact:
        return workbench.convert(source, form, numeric=numeric, dataset=digits, workspace=workspace)

    trained = workbench.train(digits, "docs", architecture=name, epochs=6, workspace=workspace)
    twin = convert(convert(trained, "onnx"), "tf_keras")
    assert _layers(twin) == _layers(trained)
    with ThreadPoolExecutor(2) as threads:
        small, back = threads.map(lambda args: convert(twin, *args), (("tflite", "int8"), ("onnx", "float32")))
    assert small.metrics["parity"]["agreement"] >= 0.99
    assert back.metrics["parity"]["max_abs"] < 1e-4


@pytest.mark.thorough
def test_a_quantised_graph_is_refused_with_the_way_out(
    converted: dict[str, Artifact], digits: Dataset, workspace: Workspace
) -> None:
    quantised = workbench.convert(
        converted["onnx/float32"], "onnx", numeric="int8", dataset=digits, workspace=workspace
    )
    with pytest.raises(BadInputError, match="a twin can be made of the float32 one only"):
        workbench.convert(quantised, "tf_keras", dataset=digits, workspace=workspace)
