"""Models that look right and are not: an ONNX file with some nodes more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.artifact import Artifact

if TYPE_CHECKING:
    from pathlib import Path

_SIDE = 420  # of a matrix that is multiplied with itself: 0.15 GFLOP each time
_TIMES = 4


def with_mixed_classes(artifact: Artifact, folder: Path) -> Artifact:
    """Return a model whose answers are each the next class': as sure as before, and wrong."""
    from onnx import helper

    def mix(model: Any, given: str, answered: str) -> None:
        from numpy import array

        classes = model.graph.output[0].type.tensor_type.shape.dim[1].dim_value
        order = array([*range(1, classes), 0])
        model.graph.initializer.append(_constant("mixed_order", order))
        model.graph.node.append(helper.make_node("Gather", [given, "mixed_order"], [answered], axis=1))

    return _spoiled(artifact, folder, mix, "mixed")


def with_slow_answers(artifact: Artifact, folder: Path) -> Artifact:
    """Return a model that answers the same, a good deal later."""
    from numpy import array
    from onnx import helper

    def slow(model: Any, given: str, answered: str) -> None:
        nodes, asked = [], model.graph.input[0].name
        model.graph.initializer.append(_constant("slow_shape", array([_SIDE, _SIDE])))
        model.graph.initializer.append(_constant("slow_nothing", array(0, "float32")))
        nodes.append(helper.make_node("ReduceMax", [asked], ["slow_0"], keepdims=0))
        nodes.append(helper.make_node("Expand", ["slow_0", "slow_shape"], ["slow_1"]))
        for at in range(1, _TIMES + 1):
            nodes.append(helper.make_node("MatMul", [f"slow_{at}", f"slow_{at}"], [f"slow_product_{at}"]))
            nodes.append(helper.make_node("Tanh", [f"slow_product_{at}"], [f"slow_{at + 1}"]))
        nodes.append(helper.make_node("ReduceMax", [f"slow_{_TIMES + 1}"], ["slow_most"], keepdims=0))
        nodes.append(helper.make_node("Mul", ["slow_most", "slow_nothing"], ["slow_zero"]))
        nodes.append(helper.make_node("Add", [given, "slow_zero"], [answered]))
        model.graph.node.extend(nodes)

    return _spoiled(artifact, folder, slow, "slow")


def _spoiled(artifact: Artifact, folder: Path, spoil: Any, name: str) -> Artifact:
    import onnx

    model = onnx.load(artifact.path)
    answered = model.graph.output[0].name
    given = f"{answered}_before"
    for node in model.graph.node:
        node.output[:] = [given if each == answered else each for each in node.output]
        node.input[:] = [given if each == answered else each for each in node.input]
    spoil(model, given, answered)
    folder = folder / name
    folder.mkdir()
    onnx.save(model, folder / f"{name}.onnx")
    return Artifact.write(folder, file=f"{name}.onnx", name=name, format="onnx", numeric=artifact.numeric)


def _constant(name: str, values: Any) -> Any:
    from onnx import numpy_helper

    return numpy_helper.from_array(values, name)
