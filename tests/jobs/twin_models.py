"""A stage that builds ONNX graphs as exporters leave them and asks their tf_keras twins; it runs in a child."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.jobs import StageContext

_SAMPLES = 3


class Graph:
    """An ONNX graph under construction: each call adds a node and gives its output's name."""

    def __init__(self, shape: Sequence[int], opset: int = 17, batch: int | None = None) -> None:
        self.shape, self.opset, self.batch = tuple(shape), opset, batch
        self.draw = np.random.default_rng(0)
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def __call__(self, kind: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        output = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=name, **attributes))
        return output

    def value(self, array: Any, dtype: Any = np.float32) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(array, dtype), name))
        return name

    def random(self, *shape: int) -> str:
        return self.value(self.draw.normal(0, 0.5, shape))

    def positive(self, *shape: int) -> str:
        return self.value(self.draw.uniform(0.5, 1.5, shape))

    def ints(self, *numbers: int) -> str:
        return self.value(numbers, np.int64)

    def model(self, output: str) -> Any:
        given = helper.make_tensor_value_info("x", TensorProto.FLOAT, [self.batch or "batch", *self.shape])
        answer = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
        graph = helper.make_graph(self.nodes, "g", [given], [answer], self.weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=9)


def _flattened_channels_first() -> Any:
    g = Graph((2, 6, 5))
    x = g("Relu", g("Conv", "x", g.random(4, 2, 3, 3), g.random(4), pads=[1, 1, 1, 1]))
    x = g("Relu", g("BatchNormalization", g("Flatten", x), *(g.positive(120) for _ in range(4))))
    return g.model(g("Softmax", g("Gemm", x, g.random(7, 120), g.random(7), transB=1, alpha=0.5, beta=2.0), axis=1))


def _size_from_shape() -> Any:
    g = Graph((2, 4, 4))
    x = g("MaxPool", "x", kernel_shape=[2, 2], strides=[2, 2])
    batch = g("Unsqueeze", g("Gather", g("Shape", x), g.value(0, np.int64)), g.ints(0))
    x = g("Reshape", x, g("Concat", batch, g.ints(-1), axis=0))
    return g.model(g("Add", g("MatMul", x, g.random(8, 3)), g.random(3)))


def _channels_last_with_turns() -> Any:
    g = Graph((6, 6, 3))
    x = g("Transpose", "x", perm=[0, 3, 1, 2])
    x = g("Conv", x, g.random(6, 1, 3, 3), group=3, strides=[2, 2], pads=[0, 0, 1, 1])
    x = g("Clip", g("Add", x, g.random(1, 6, 1, 1)), g.value(0), g.value(6))
    x = g("Reshape", g("Transpose", x, perm=[0, 2, 3, 1]), g.ints(-1, 54))
    return g.model(g("Sigmoid", g("MatMul", x, g.random(54, 1))))


def _one_channel_by_reshape() -> Any:
    g = Graph((6, 6, 1))
    x = g("Tanh", g("Conv", g("Reshape", "x", g.ints(-1, 1, 6, 6)), g.random(4, 1, 3, 3)))
    x = g("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
    return g.model(g("LogSoftmax", g("MatMul", g("Reshape", x, g.ints(0, -1)), g.random(16, 5)), axis=-1))


def _residual() -> Any:
    g = Graph((3, 7, 7))
    x = g("Relu", g("Conv", "x", g.random(4, 3, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1]))
    y = g("Conv", x, g.random(4, 4, 3, 3), pads=[1, 1, 1, 1], dilations=[1, 1])
    y = g("BatchNormalization", y, *(g.positive(4) for _ in range(4)), epsilon=1e-3)
    x = g("Concat", g("Relu", g("Add", x, y)), x, axis=1)
    x = g("MaxPool", g("Relu", x), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    return g.model(g("Flatten", g("GlobalAveragePool", x)))


def _squeeze_and_excite() -> Any:
    g = Graph((4, 5, 5), opset=18)
    weight = g("Relu", g("Conv", g("ReduceMean", "x", g.ints(2, 3), keepdims=1), g.random(2, 4, 1, 1)))
    weight = g("Sigmoid", g("Conv", weight, g.random(4, 2, 1, 1)))
    return g.model(g("ReduceMax", g("Mul", "x", weight), g.ints(-1, -2), keepdims=0))


def _steps_of_time() -> Any:
    g = Graph((4, 10))
    x = g("Relu", g("Conv", "x", g.random(6, 4, 3), g.random(6), pads=[1, 1]))
    x = g("MaxPool", x, kernel_shape=[2], strides=[2])
    return g.model(g("Flatten", g("LeakyRelu", x, alpha=0.2)))


def _time_as_an_image() -> Any:
    g = Graph((10, 4))
    x = g("Transpose", g("Unsqueeze", "x", g.ints(1)), perm=[0, 3, 1, 2])
    x = g("Squeeze", g("Conv", x, g.random(5, 4, 1, 3), kernel_shape=[1, 3]), g.ints(2))
    return g.model(g("MatMul", g("Transpose", g("Elu", x), perm=[0, 2, 1]), g.random(5, 2)))


def _scaled_inputs() -> Any:
    g = Graph((3, 4, 4))
    x = g("Div", g("Sub", "x", g.random(3, 1, 1)), g.positive(1, 3, 1, 1))
    x = g("Conv", g("Sub", g.value(1), g("Add", g("Mul", x, g.value(2)), g.value(-1))), g.random(2, 3, 2, 2))
    return g.model(g("Mul", g("Flatten", x), g.random(18)))


def _padded_apart() -> Any:
    g = Graph((2, 5, 6), opset=18)
    x = g("Pad", "x", g.ints(1, 0, 2, 1), g.value(0), g.ints(2, 3))
    x = g("Pad", g("Conv", x, g.random(3, 2, 3, 3), pads=[2, 0, 1, 1]), g.ints(0, 0, 0, 1, 0, 0, 0, 0))
    return g.model(g("AveragePool", x, kernel_shape=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1))


def _softmax_of_channels() -> Any:
    g = Graph((2, 4, 4))
    return g.model(g("Flatten", g("Softmax", g("Conv", "x", g.random(3, 2, 1, 1)), axis=1)))


def _softmax_of_rows() -> Any:
    g = Graph((2, 4, 4))
    return g.model(g("Softmax", g("Conv", "x", g.random(3, 2, 1, 1)), axis=-1))


def _batch_of_one() -> Any:
    g = Graph((2, 3, 3), batch=1)
    return g.model(g("MatMul", g("Reshape", g("Relu", "x"), g.ints(1, 18)), g.random(18, 4)))


def _turned_weights() -> Any:
    g = Graph((6,))
    weights = g("Transpose", g("Identity", g.random(3, 6)), perm=[1, 0])
    return g.model(g("Softsign", g("Add", g.random(3), g("MatMul", g("Dropout", "x"), weights))))


GRAPHS = {
    each.__name__.strip("_"): each
    for each in (
        _flattened_channels_first, _size_from_shape, _channels_last_with_turns, _one_channel_by_reshape, _residual,
        _squeeze_and_excite, _steps_of_time, _time_as_an_image, _scaled_inputs, _padded_apart,
        _softmax_of_channels, _softmax_of_rows, _batch_of_one, _turned_weights,
    )
}  # fmt: skip


def answer(context: StageContext) -> dict[str, Any]:
    """Return, for each graph, how far the twin's answers are off once it was saved and loaded, and its layers."""
    return {name: _asked(make(), context) for name, make in GRAPHS.items()}


def _asked(model: Any, context: StageContext) -> dict[str, Any]:
    import onnxruntime
    import tf_keras

    from workbench.convert.onnx_twin import keras_twin
    from workbench.train.saving import save_model

    path = context.result / "model.keras"
    save_model(keras_twin(model), path)
    twin = tf_keras.models.load_model(path, compile=False)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    given = np.random.default_rng(1).normal(size=(_SAMPLES, *twin.input_shape[1:])).astype(np.float32)
    fixed = isinstance(session.get_inputs()[0].shape[0], int)
    parts = np.split(given, _SAMPLES) if fixed else [given]
    ours = np.concatenate([session.run(None, {"x": part})[0] for part in parts])
    theirs = twin(given, training=False).numpy()
    return {
        "shapes": [list(ours.shape), list(theirs.shape)],
        "off_by": float(np.abs(ours - theirs).max()) if ours.shape == theirs.shape else float("inf"),
        "layers": [type(layer).__name__ for layer in twin.layers],
    }
