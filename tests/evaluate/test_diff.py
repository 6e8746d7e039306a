import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper
from typer.testing import CliRunner

import workbench
from tests.evaluate.graph_models import artifact_of, keras_file, numbers, onnx_graph, small_cnn
from workbench.cli import app
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.core.records.graph_diff import GraphDiff
from workbench.core.workspace import Workspace
from workbench.datasets import Dataset
from workbench.evaluate.diff import diff
from workbench.evaluate.matching import alignment
from workbench.evaluate.packing import pack
from workbench.jobs import submit
from workbench.report.diff import print_diff

Models = dict[str, Artifact]


@pytest.fixture
def models(trained: Artifact, converted: Models) -> Models:
    return {trained.label: trained, **converted}


def of_onnx(model: onnx.ModelProto, workspace: Workspace) -> Artifact:
    onnx.checker.check_model(model)
    return artifact_of(model.SerializeToString(), workspace)


def counted(diff: GraphDiff) -> tuple[int, int, int, int]:
    return len(diff.matched), len(diff.added), len(diff.removed), len(diff.fused)


def kernels_of(found: GraphDiff) -> list[Any]:
    return [each for each in found.weights if each.role == "kernel"]


@pytest.mark.parametrize("label", ["tf_keras/float32", "saved_model/float32", "onnx/float32", "tflite/int8"])
def test_a_model_is_identical_to_itself(label: str, models: Models) -> None:
    found = diff(models[label], models[label])
    assert found.identical
    assert counted(found)[1:] == (0, 0, 0)
    assert not found.changed
    assert all(each.identical and each.largest == 0 for each in found.weights)
    assert found.sentences[0] == "The graphs and all weights are the same."


def test_zeros_are_counted(trained: Artifact, workspace: Workspace) -> None:
    found = diff(trained, pruned_by_hand(trained, workspace))
    assert (counted(found), found.changed, found.identical) == ((8, 0, 0, 0), (), False)
    assert found.after.sparsity == pytest.approx(0.8, abs=0.01)
    for each in found.weights:
        if each.role == "kernel":
            assert each.after.sparsity - each.before.sparsity == pytest.approx(0.8, abs=0.02)
            assert "% zeros" in each.cause
        else:
            assert each.identical
    assert "80 % of 5 kernels became zero (conv1/kernel, conv2/kernel, conv3/kernel" in found.summary()


def pruned_by_hand(trained: Artifact, workspace: Workspace) -> Artifact:
    """The same file with the smallest weights of each kernel set to zero."""
    content = io.BytesIO(trained.path.read_bytes())
    with zipfile.ZipFile(content) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    held = io.BytesIO(members["model.weights.h5"])
    with h5py.File(held, "r+") as file:
        for layer in file["layers"].values():
            for weight in layer.get("vars", {}).values():
                if weight.ndim > 1:
                    values = weight[()]
                    weight[()] = np.where(np.abs(values) < np.quantile(np.abs(values), 0.8), 0, values)
    changed = io.BytesIO()
    with zipfile.ZipFile(changed, "w") as archive:
        for name, data in {**members, "model.weights.h5": held.getvalue()}.items():
            archive.writestr(name, data)
    return artifact_of(changed.getvalue(), workspace, "tf_keras")


@pytest.mark.thorough
def test_pruning_is_seen(trained: Artifact, digits: Dataset, workspace: Workspace) -> None:
    method = workbench.MagnitudePruning(sparsity=0.7, epochs=1)
    found = diff(trained, workbench.compress(trained, method, digits, workspace=workspace))
    assert (counted(found), found.changed) == ((8, 0, 0, 0), ())
    assert found.after.sparsity == pytest.approx(0.7, abs=0.01)


@pytest.mark.thorough
def test_batch_normalizations_go_into_kernels_in_every_format(digits: Dataset, workspace: Workspace) -> None:
    written = submit("depthwise_models:write", {}, kind="probe", workspace=workspace).wait(120)
    source = workbench.adopt(written, workspace=workspace)
    for target in ("onnx", "tflite"):
        found = diff(source, workbench.convert(source, target, dataset=digits, workspace=workspace))
        folded = [each for each in found.fused if each.why.startswith("batch normalization")]
        assert [each.before[0].name for each in folded] == ["stem", "depthwise", "pointwise"]
        # The last one comes after an activation, so it stays; TFLite writes it out.
        assert not [each for each in found.removed if each.operator == "BatchNormalization"]
        kernels = [each for each in found.weights if each.role == "kernel"]
        assert len(kernels) == 7
        assert max(each.largest for each in kernels) < 1e-5


def test_a_layer_of_keras_is_several_nodes_of_onnx_with_the_same_weights(models: Models) -> None:
    found = diff(models["tf_keras/float32"], models["onnx/float32"])
    assert [each.operator for each in found.added] == ["Reshape", "Transpose"]
    assert not found.removed
    fused = {each.before[0].name: [node.operator for node in each.after] for each in found.fused}
    assert fused == {
        "conv1": ["Conv", "Relu"], "conv2": ["Conv", "Relu"], "conv3": ["Conv", "Relu"],
        "dense": ["MatMul", "Add", "Relu"], "probabilities": ["MatMul", "Add", "Softmax"],
    }  # fmt: skip
    assert [each.before.name for each in found.matched] == ["pool1", "pool2", "flatten"]
    assert not found.changed
    assert len(found.weights) == 10
    assert all(each.identical and each.largest == 0 for each in found.weights)


def test_int8_of_onnx_adds_quantizers_and_rounds_weights(models: Models, digits: Dataset, workspace: Workspace) -> None:
    int8 = workbench.convert(models["onnx/float32"], "onnx", numeric="int8", dataset=digits, workspace=workspace)
    found = diff(models["onnx/float32"], int8)
    added = Counter(each.operator for each in found.added)
    assert set(added) == {"QuantizeLinear", "DequantizeLinear"}
    assert not found.removed
    assert not any("shape" in change.what for each in found.matched for change in each.changes)
    for each in kernels_of(found):
        assert (each.before.bits, each.after.bits, each.cause) == (32, 8, "rounded to 8-bit integers")
        assert 0 < each.largest < 0.01
    # ONNX Runtime's quantizer leaves rectifiers to the quantizer behind them.
    rectified = [each for each in found.fused if "Relu" in [node.operator for node in each.before]]
    assert len(rectified) == 4
    assert all(each.why == "the range of the quantizer behind it starts at 0" for each in rectified)
    assert found.after.bits < 9
    (sentence,) = [each for each in found.sentences if each.endswith("nodes were added.")]
    assert sentence == (
        f"{added['DequantizeLinear']} DequantizeLinear and {added['QuantizeLinear']} QuantizeLinear nodes were added."
    )


def test_int8_of_tflite_changes_types_and_no_node(models: Models) -> None:
    found = diff(models["tflite/float32"], models["tflite/int8"])
    assert counted(found) == (9, 0, 0, 0)
    assert {change.what for each in found.matched for change in each.changes} == {"output dtype"}
    assert {each.after.bits for each in kernels_of(found)} == {8}
    assert [each.what for each in found.interface] == ["input dtype", "output dtype"]


@pytest.mark.thorough
def test_a_keras_3_twin_is_identical(trained: Artifact, workspace: Workspace) -> None:
    found = diff(trained, workbench.convert(trained, "keras", workspace=workspace))
    assert found.identical
    assert [each.what for each in found.interface] in ([], ["input name"])


def test_packed_is_what_is_inside(trained: Artifact, workspace: Workspace) -> None:
    packed = artifact_of(pack(trained.path.read_bytes(), "tf_keras"), workspace, "packed")
    assert diff(packed, trained).identical


def test_onnx_and_tflite_hold_the_same_weights_in_another_layout(models: Models) -> None:
    found = diff(models["onnx/float32"], models["tflite/float32"])
    assert all(each.identical for each in found.weights)
    assert {each.before.shape for each in kernels_of(found)} != {each.after.shape for each in kernels_of(found)}
    assert "Conv + Relu became CONV_2D with relu 3 times" in found.summary()


def test_formats_are_compared_without_one_being_the_first(models: Models) -> None:
    for one, other in (("saved_model/float32", "tflite/int8"), ("onnx/float32", "tf_keras/float32")):
        there, back = diff(models[one], models[other]), diff(models[other], models[one])
        assert (there.added, there.removed) == (back.removed, back.added)
        assert [(each.before, each.after) for each in there.matched] == [
            (each.after, each.before) for each in back.matched
        ]
        assert {(each.before, each.after) for each in there.fused} == {(each.after, each.before) for each in back.fused}
        assert sorted(each.largest for each in there.weights) == sorted(each.largest for each in back.weights)


def changed(change: Callable[[onnx.ModelProto], None]) -> onnx.ModelProto:
    model = small_cnn()
    change(model)
    return model


def attribute(model: onnx.ModelProto, node: str, name: str) -> onnx.AttributeProto:
    (found,) = [each for each in model.graph.node if each.name == node]
    return next(each for each in found.attribute if each.name == name)


@pytest.mark.parametrize(
    ("node", "name", "value", "told"),
    [
        ("conv2", "strides", [1, 1], ("strides", (2, 2), (1, 1))),
        ("conv1", "pads", [0, 0, 2, 2], ("padding", (1, 1, 1, 1), (0, 0, 2, 2))),
    ],
)
def test_one_attribute_that_was_changed_is_found_and_nothing_else(
    node: str, name: str, value: list[int], told: tuple[Any, ...], workspace: Workspace
) -> None:
    def change(model: onnx.ModelProto) -> None:
        attribute(model, node, name).ints[:] = value

    found = diff(of_onnx(small_cnn(), workspace), of_onnx(changed(change), workspace))
    assert counted(found) == (8, 0, 0, 0)
    (match,) = [each for each in found.changed if any(change.what == told[0] for change in each.changes)]
    assert match.before.name == node
    (only,) = [each for each in match.changes if "shape" not in each.what]
    assert (only.what, only.before, only.after) == told
    assert all(each.what == "output shape" for other in found.changed for each in other.changes if each != only)
    assert all(each.identical for each in found.weights)
    assert not found.identical


def test_an_attribute_that_only_onnx_has_is_compared_too(workspace: Workspace) -> None:
    def change(model: onnx.ModelProto) -> None:
        node = next(each for each in model.graph.node if each.name == "pool1")
        node.attribute.append(helper.make_attribute("ceil_mode", 1))

    found = diff(of_onnx(small_cnn(), workspace), of_onnx(changed(change), workspace))
    (match,) = found.changed
    assert [(each.what, each.before, each.after) for each in match.changes] == [("ceil_mode", 0, 1)]


def test_what_an_attribute_is_by_default_is_no_difference(workspace: Workspace) -> None:
    def change(model: onnx.ModelProto) -> None:
        node = next(each for each in model.graph.node if each.name == "conv1")
        node.attribute.extend([helper.make_attribute("group", 1), helper.make_attribute("auto_pad", "NOTSET")])

    assert diff(of_onnx(small_cnn(), workspace), of_onnx(changed(change), workspace)).identical


def inserted(model: onnx.ModelProto, after: str, operator: str = "Tanh") -> None:
    place, node = next((i, each) for i, each in enumerate(model.graph.node) if each.name == after)
    output = node.output[0]
    node.output[0] = f"{output}_before"
    model.graph.node.insert(place + 1, helper.make_node(operator, [f"{output}_before"], [output], name="new"))


@pytest.mark.parametrize("after", ["conv1", "pool1", "relu2", "flatten", "dense"])
def test_one_inserted_node_is_found(after: str, workspace: Workspace) -> None:
    model = small_cnn()
    inserted(model, after)
    plain, more = of_onnx(small_cnn(), workspace), of_onnx(model, workspace)
    found = diff(plain, more)
    assert (counted(found), [each.name for each in found.added]) == ((8, 1, 0, 0), ["new"])
    assert not found.changed
    assert "1 Tanh node was added (new)." in found.sentences
    assert [each.name for each in diff(more, plain).removed] == ["new"]


def test_another_operator_of_the_same_name_was_changed(workspace: Workspace) -> None:
    def change(model: onnx.ModelProto) -> None:
        next(each for each in model.graph.node if each.name == "relu1").op_type = "Tanh"

    found = diff(of_onnx(small_cnn(), workspace), of_onnx(changed(change), workspace))
    assert counted(found) == (8, 0, 0, 0)
    (match,) = found.changed
    assert ("operator", "Relu", "Tanh") in [(each.what, each.before, each.after) for each in match.changes]


def renamed(model: onnx.ModelProto) -> None:
    names = {"x": "x", "y": "y"}
    for number, node in enumerate(model.graph.node):
        node.name = f"other{number * 7 % 5}{number}"
        node.input[:] = [names.get(name, f"t{name[::-1]}") for name in node.input]
        node.output[:] = [names.get(name, f"t{name[::-1]}") for name in node.output]
    for tensor in model.graph.initializer:
        tensor.name = f"t{tensor.name[::-1]}"


def test_nodes_with_other_names_are_matched(workspace: Workspace) -> None:
    found = diff(of_onnx(small_cnn(), workspace), of_onnx(changed(renamed), workspace))
    assert found.identical
    assert all(each.renamed for each in found.matched)
    assert "8 matched nodes have other names." in found.sentences


def test_other_names_and_other_weights_are_still_the_same_layers(workspace: Workspace) -> None:
    def change(model: onnx.ModelProto) -> None:
        renamed(model)
        for tensor in model.graph.initializer:
            values = numpy_helper.to_array(tensor)
            tensor.CopyFrom(numpy_helper.from_array(values + numbers(*values.shape, seed=9) / 8, tensor.name))

    found = diff(of_onnx(small_cnn(), workspace), of_onnx(changed(change), workspace))
    assert counted(found) == (8, 0, 0, 0)
    assert not any(each.identical for each in found.weights)


def branches(order: tuple[str, str]) -> onnx.ModelProto:
    make = helper.make_node
    sides = {
        "left": [make("MatMul", ["x", "kl"], ["l1"]), make("Relu", ["l1"], ["left"])],
        "right": [make("MatMul", ["x", "kr"], ["r1"]), make("Tanh", ["r1"], ["r2"]), make("Relu", ["r2"], ["right"])],
    }
    nodes = [*sides[order[0]], *sides[order[1]], make("Add", list(order), ["y"])]
    return onnx_graph(nodes, {"kl": numbers(4, 4), "kr": numbers(4, 4, seed=1)})


def test_branches_in_another_order_are_found_by_their_weights(workspace: Workspace) -> None:
    found = diff(of_onnx(branches(("left", "right")), workspace), of_onnx(branches(("right", "left")), workspace))
    assert counted(found) == (6, 0, 0, 0)
    assert all(each.identical for each in found.weights)


FOLDED_LAYERS = [
    ("InputLayer", {"name": "x", "batch_input_shape": [None, 6, 6, 3]}),
    ("Conv2D", {"name": "c", "filters": 4, "kernel_size": 3, "strides": 2, "padding": "same", "use_bias": False}),
    ("BatchNormalization", {"name": "bn", "axis": 3, "epsilon": 0.01}),
    ("ReLU", {"name": "r"}),
]  # fmt: skip


def with_norm(workspace: Workspace) -> tuple[Artifact, Artifact]:
    """A convolution with a batch normalization in Keras, and folded in ONNX."""
    kernel, gamma, beta, mean = numbers(3, 3, 3, 4), numbers(4, seed=1) + 1, numbers(4, seed=2), numbers(4, seed=3)
    variance = np.abs(numbers(4, seed=4)) + np.float32(0.5)
    keras = keras_file(FOLDED_LAYERS, {"conv2d": [kernel], "batch_normalization": [gamma, beta, mean, variance]})
    scale = gamma / np.sqrt(variance + np.float32(0.01))
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["t", "k", "b"], ["h"], strides=[2, 2], pads=[0, 0, 1, 1], kernel_shape=[3, 3]),
        helper.make_node("Relu", ["h"], ["y"]),
    ]
    weights = {"k": (kernel * scale).transpose(3, 2, 0, 1), "b": beta - mean * scale}
    model = onnx_graph(nodes, weights, ("batch", 6, 6, 3), ("batch", 4, 3, 3))
    return artifact_of(keras, workspace, "keras"), of_onnx(model, workspace)


def test_a_folded_batch_normalization_explains_the_weights(workspace: Workspace) -> None:
    keras, folded = with_norm(workspace)
    for found in (diff(keras, folded), diff(folded, keras)):
        assert not found.changed
        (fusion,) = found.fused
        assert fusion.why == "batch normalization was folded into kernel and bias"
        assert not fusion.changes
        weights = {each.role: each for each in found.weights}
        for role in ("kernel", "bias"):
            assert weights[role].largest < 1e-6
            assert weights[role].cause.startswith("batch normalization folded in")
        assert {each.cause for role, each in weights.items() if role not in ("kernel", "bias")} == {
            "batch normalization folded in"
        }
    assert diff(keras, folded).summary().count("Conv2D + BatchNormalization became Conv (c)") == 1


def test_a_batch_normalization_that_is_just_gone_was_removed(workspace: Workspace) -> None:
    keras, folded = with_norm(workspace)
    model = onnx.load(folded.path)
    for tensor in model.graph.initializer:
        tensor.CopyFrom(numpy_helper.from_array(numbers(*tensor.dims, seed=8), tensor.name))
    found = diff(keras, of_onnx(model, workspace))
    assert [each.operator for each in found.removed] == ["BatchNormalization"]
    assert not found.fused


def test_a_flattened_map_with_channels_first_is_the_same_layer(workspace: Workspace) -> None:
    def model(*, turned: bool) -> onnx.ModelProto:
        kernel = numbers(5, 4 * 6, seed=3)
        if turned:  # from (C, H · W) to (H · W, C)
            kernel = kernel.reshape(5, 4, 6).swapaxes(1, 2).reshape(5, 24)
        nodes = [
            helper.make_node("Conv", ["x", "k"], ["c"], kernel_shape=[1, 1]),
            helper.make_node("Flatten", ["c"], ["f"]),
            helper.make_node("Gemm", ["f", "d"], ["y"], transB=1),
        ]
        return onnx_graph(nodes, {"k": numbers(4, 3, 1, 1), "d": kernel}, ("batch", 3, 2, 3), ("batch", 5))

    found = diff(of_onnx(model(turned=False), workspace), of_onnx(model(turned=True), workspace))
    (dense,) = [each for each in found.weights if each.after.shape == (5, 24)]
    assert (dense.largest, dense.cause) == (0, "inputs in another order")


def test_shared_values_are_told(workspace: Workspace) -> None:
    values = numbers(16, 16)
    book = np.round(values * 2) / 2
    pair = [
        of_onnx(
            onnx_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": each}, ("n", 16), ("n", 16)), workspace
        )
        for each in (values, book.astype(np.float32))
    ]
    (weight,) = diff(*pair).weights
    assert weight.cause.endswith(f"{len(np.unique(book))} distinct values")


def test_weights_that_are_no_numbers_are_compared_all_the_same(workspace: Workspace) -> None:
    def change(model: onnx.ModelProto) -> None:
        values = numpy_helper.to_array(model.graph.initializer[0]).copy()
        values.flat[0] = np.nan
        model.graph.initializer[0].CopyFrom(numpy_helper.from_array(values, "k1"))

    odd = of_onnx(changed(change), workspace)
    found = diff(of_onnx(small_cnn(), workspace), odd)
    assert (found.weights[0].identical, found.weights[0].largest) == (False, None)
    assert diff(odd, odd).identical
    assert GraphDiff.from_json(json.loads(json.dumps(found.to_json()))).weights == found.weights


def test_graphs_too_large_to_align_at_once_are_compared_in_pieces(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alignment, "MOST_CELLS", 4)
    model = small_cnn()
    inserted(model, "pool1")
    model.graph.node[0].name = model.graph.node[-1].name = "renamed"
    found = diff(of_onnx(small_cnn(), workspace), of_onnx(model, workspace))
    assert ([each.name for each in found.added], found.removed) == (["new"], ())
    assert found.notes[0] in found.sentences


def test_totals_count_each_stored_weight_once(workspace: Workspace) -> None:
    twice = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("MatMul", ["h", "w"], ["y"])]
    found = diff(*[of_onnx(onnx_graph(twice, {"w": numbers(4, 4)}), workspace)] * 2)
    assert (found.before.parameters, found.before.weight_bytes, found.before.bits) == (16, 64, 32)
    assert len(found.weights) == 2


OPERATORS = ("Relu", "Sigmoid", "MatMul", "Add", "Mul", "Identity", "Neg")


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[tuple[str, list[str], str]], str, str, bool]:
    """Nodes of a random graph, a tensor of it, an operator to put behind that, and whether nodes have names."""
    count = draw(st.integers(1, 9))
    nodes, tensors = [], ["x"]
    for number in range(count):
        operator = draw(st.sampled_from(OPERATORS))
        takes = [draw(st.sampled_from(tensors[-4:])) for _ in range(2 if operator in ("Add", "Mul") else 1)]
        if operator == "MatMul":
            takes.append(draw(st.sampled_from(["w0", "w1"])))
        output = "y" if number == count - 1 else f"t{number}"
        nodes.append((operator, takes, output))
        tensors.append(output)
    return nodes, draw(st.sampled_from(tensors)), draw(st.sampled_from(["Relu", "Identity"])), draw(st.booleans())


def random_model(nodes: list[tuple[str, list[str], str]], *, named: bool) -> onnx.ModelProto:
    made = [
        helper.make_node(operator, takes, [output], name=f"node_{output}" if named else "")
        for operator, takes, output in nodes
    ]
    return onnx_graph(made, {"w0": numbers(4, 4), "w1": numbers(4, 4, seed=1)})


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graphs())
def test_one_node_inserted_anywhere_is_exactly_one_added(
    workspace: Workspace, drawn: tuple[list[tuple[str, list[str], str]], str, str, bool]
) -> None:
    nodes, tensor, operator, named = drawn
    place = next((i + 1 for i, node in enumerate(nodes) if node[2] == tensor), 0)
    moved = [(op, ["new" if name == tensor else name for name in takes], out) for op, takes, out in nodes]
    more = [*moved[:place], (operator, [tensor], "new"), *moved[place:]]
    if tensor == "y":  # what the model gives keeps its name
        more = [(op, takes, "old" if out == "y" else out) for op, takes, out in nodes]
        more.append((operator, ["old"], "y"))
    plain, other = (
        artifact_of(random_model(each, named=named).SerializeToString(), workspace) for each in (nodes, more)
    )
    there, back = diff(plain, other), diff(other, plain)
    assert counted(there) == (len(nodes), 1, 0, 0)
    assert back.removed == there.added
    assert there.added[0].operator == operator


@pytest.mark.parametrize("value", [None, 3, "model.onnx", Path("model.onnx")])
def test_what_is_no_artifact_is_one_sentence(value: Any, workspace: Workspace) -> None:
    good = of_onnx(small_cnn(), workspace)
    for name, pair in (("a", (value, good)), ("b", (good, value))):
        with pytest.raises(BadInputError, match=f"^{name} must be an Artifact"):
            diff(*pair)


def test_the_record_is_json_both_ways(models: Models) -> None:
    found = diff(models["tf_keras/float32"], models["tflite/int8"])
    again = GraphDiff.from_json(json.loads(json.dumps(found.to_json())))
    assert again.sentences == found.sentences
    assert (again.identical, again.weights) == (found.identical, found.weights)
    assert "GraphDiff(tf_keras/float32 to tflite/int8" in repr(found)


def test_the_terminal_shows_names_as_they_are(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    model = small_cnn()
    inserted(model, "pool1")
    next(each for each in model.graph.node if each.name == "new").name = "[red]new[/nothing]"
    print_diff(diff(of_onnx(small_cnn(), workspace), of_onnx(model, workspace)))
    shown = capsys.readouterr().out
    assert "[red]new[/nothing]" in shown
    assert "1 Tanh" in shown
    assert "conv1" not in shown  # the same
    print_diff(diff(of_onnx(small_cnn(), workspace), of_onnx(model, workspace)), every=True)
    assert "Conv conv1" in capsys.readouterr().out


def test_the_command_prints_json(workspace: Workspace) -> None:
    model = small_cnn()
    inserted(model, "conv1")
    folders = [str(of_onnx(each, workspace).folder) for each in (small_cnn(), model)]
    done = CliRunner().invoke(app, ["diff", *folders, "--json"])
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["identical"], answer["added"][0]["name"]) == (0, False, "new")
    assert "1 Tanh node was added (new)." in answer["sentences"]


def test_a_bare_file_is_answered_by_how_to_bring_it_in(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"")
    done = CliRunner().invoke(app, ["diff", str(tmp_path / "model.onnx"), str(tmp_path)])
    assert isinstance(done.exception, BadInputError)
    assert "workbench.adopt" in str(done.exception)
