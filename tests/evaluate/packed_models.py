"""Small ONNX files with the kinds of tensors that packing knows."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def onnx_file(tensors: dict[str, np.ndarray]) -> bytes:
    """An ONNX file that holds these arrays and answers with a softmax."""
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
    # A negative setting is written in ten bytes.
    node = helper.make_node("Softmax", ["x"], ["y"], name="answer", axis=-1)
    held = [numpy_helper.from_array(array, name) for name, array in tensors.items()]
    graph = helper.make_graph([node], "graph", value[:1], value[1:], held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()


def small_network(kernels: dict[str, np.ndarray]) -> onnx.ModelProto:
    """Convolution, ReLU, dense layer with these weights, `conv` and `dense`; takes (N, 1, 8, 8) with 3x3 kernels."""
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 1, 8, 8])
    answered = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", kernels["dense"].shape[1]])
    nodes = [
        helper.make_node("Conv", ["x", "conv"], ["c"], name="conv", kernel_shape=[3, 3]),
        helper.make_node("Relu", ["c"], ["r"], name="relu"),
        helper.make_node("Flatten", ["r"], ["f"], name="flatten"),
        helper.make_node("MatMul", ["f", "dense"], ["y"], name="dense"),
    ]
    held = [numpy_helper.from_array(array, name) for name, array in kernels.items()]
    graph = helper.make_graph(nodes, "graph", [given], [answered], held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def tensors_of(data: bytes) -> dict[str, np.ndarray]:
    """The arrays of an ONNX file."""
    return {each.name: numpy_helper.to_array(each) for each in onnx.load_from_string(data).graph.initializer}


def kernel(shape: tuple[int, ...], sparsity: float, values: int | None = None, seed: int = 0) -> np.ndarray:
    """A float32 kernel whose channels differ in density, with so many distinct values other than 0."""
    draw = np.random.default_rng(seed)
    density = (1 - sparsity) * draw.gamma(1.5, 1 / 1.5, (shape[0], *[1] * (len(shape) - 1)))
    kept = (draw.random(shape) < density) | (sparsity == 0)
    weights = draw.normal(0, 0.1, shape).astype(np.float32)
    if values is not None:
        book = draw.normal(0, 0.1, values).astype(np.float16).astype(np.float32)
        weights = book[draw.integers(0, values, shape)]
    return np.where(kept, weights, np.float32(0))


def flattened(shape: tuple[int, int], places: int) -> np.ndarray:
    """A dense layer's float32 kernel behind a flattened map, whose channels differ in density at all of its places."""
    draw = np.random.default_rng(2)
    density = np.tile(draw.choice([0.01, 0.4], shape[1] // places, p=[0.8, 0.2]), places)
    return (draw.random(shape) < density).astype(np.float32)


def every_kind() -> bytes:
    """A file with a tensor for each way of storing one."""
    draw = np.random.default_rng(1)
    quantised = draw.integers(-9, 9, (32, 3, 3, 8)).astype(np.int8)
    return onnx_file({
        "pruned": kernel((64, 32), 0.8),
        "shared": kernel((32, 16, 3, 3), 0.9, 8),
        "dense": kernel((16, 24), 0.0),
        "few": kernel((40, 40), 0.0, 5),
        "flat": np.where(draw.random(600) < 0.1, np.float32(1.5), np.float32(0)).astype(np.float32),
        "half": kernel((20, 20), 0.3).astype(np.float16),
        "quantised": np.where(draw.random(quantised.shape) < 0.7, np.int8(-3), quantised),
        "flattened": flattened((16, 288), 9),
        "origins": (kernel((40, 48), 0.7, 9) * 300 + draw.integers(-99, 99, 48)).astype(np.int8),
        "bias": kernel((64,), 0.0),
        "shape": np.array([-1, 28, 28, 1], np.int64),
        "constant": np.full((9, 9), 3, np.float32),
    })  # fmt: skip
