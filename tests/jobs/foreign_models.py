"""Stages that write models as people of all frameworks bring them; they need TensorFlow, so they run in children."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from workbench.jobs import StageContext

FEATURES = 4


def write(context: StageContext) -> dict[str, str]:
    """Write the models that `names` asks for, returns their paths by name."""
    import tf_keras

    tf_keras.utils.set_random_seed(0)  # of Keras 3 too: both draw their seeds from `random`
    made = {name: _WRITERS[name](context.result / name) for name in context.settings["names"]}
    return {name: str(path) for name, path in made.items()}


def small(keras: Any, units: int = 3) -> Any:
    """A network of a few hundred bytes, with what damaged files are made from: convolution, statistics, softmax."""
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((6, 6, 1)),
            layers.Conv2D(2, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dense(units, activation="softmax"),
        ]
    )
    model.compile("adam", "categorical_crossentropy")
    return model


def _saved(library: str, ending: str) -> Any:
    def write(path: Path) -> Path:
        import importlib

        file = path.with_suffix(ending)
        small(importlib.import_module(library)).save(file)
        return file

    return write


def _without_training(path: Path) -> Path:
    import keras

    file = path.with_suffix(".keras")
    keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(2)]).save(file)
    return file


def _without_shape(library: str) -> Any:
    def write(path: Path) -> Path:
        import importlib

        keras, file = importlib.import_module(library), path.with_suffix(".keras")
        keras.Sequential([keras.layers.Dense(2)], name="shapeless").save(file)
        return file

    return write


def _with_rules(path: Path) -> Path:
    import keras

    file = path.with_suffix(".keras")
    layer = keras.layers.Dense(2, kernel_regularizer="l2")
    keras.Sequential([keras.Input((FEATURES,)), layer]).save(file)
    return file


def _diverged(path: Path) -> Path:
    import tf_keras

    file = path.with_suffix(".keras")
    model = tf_keras.Sequential([tf_keras.layers.Input((FEATURES,)), tf_keras.layers.Dense(2, name="head")])
    model.layers[0].set_weights([np.full((FEATURES, 2), np.nan), np.zeros(2)])
    model.save(file)
    return file


def _custom_layer(path: Path) -> Path:
    import keras

    @keras.saving.register_keras_serializable("team")
    class Mine(keras.layers.Layer):  # type: ignore[misc]
        def call(self, given: Any) -> Any:
            return given

    file = path.with_suffix(".keras")
    keras.Sequential([keras.Input((FEATURES,)), Mine(name="ours"), keras.layers.Dense(2)]).save(file)
    return file


def _with_lambda(path: Path) -> Path:
    import keras

    file = path.with_suffix(".keras")
    layers = [keras.layers.Lambda(lambda given: given * 2.0), keras.layers.Dense(2)]
    keras.Sequential([keras.Input((FEATURES,)), *layers]).save(file)
    return file


def _keras_saved_model(path: Path) -> Path:
    import tf_keras

    small(tf_keras).save(path, save_format="tf")
    return path


def _keras3_export(path: Path) -> Path:
    import keras

    small(keras).export(path)
    return path


def _module(**signatures: str) -> Any:
    """Write a SavedModel that is no Keras model, with these signatures of these functions and nothing else."""

    def write(path: Path) -> Path:
        import tensorflow as tf

        module = tf.Module()
        module.weights = tf.Variable(np.arange(8.0).reshape(FEATURES, 2) / 8, dtype=tf.float32)
        module.diverged = tf.Variable([float("nan")] * 2)
        concrete = {}
        for name, what in signatures.items():
            kinds = ["string"] if what == "strings" else ["float32"] * (2 if what == "two_inputs" else 1)
            shape = [None] if what == "strings" else [None, FEATURES]
            specs = [tf.TensorSpec(shape, kind, name=f"x{number}") for number, kind in enumerate(kinds)]
            function = tf.function(partial(_FUNCTIONS[what], tf, module), input_signature=specs)
            setattr(module, what, function)
            concrete[name] = function.get_concrete_function()
        tf.saved_model.save(module, str(path), signatures=concrete)
        return path

    return write


def _branching(tf: Any, module: Any, x: Any) -> Any:
    _, halved = tf.while_loop(lambda step, _: step < 3, lambda step, value: (step + 1, value / 2.0), (0, x))
    return {"y": tf.cond(tf.reduce_sum(halved) > 0.5, lambda: halved @ module.weights, lambda: halved[:, :2])}


def _writing(tf: Any, module: Any, x: Any) -> Any:
    tf.io.write_file("stolen.txt", "text")
    return {"y": x @ module.weights}


def _reading(tf: Any, module: Any, x: Any) -> Any:
    text = tf.cond(tf.reduce_sum(x) > 0.0, lambda: tf.io.read_file("/etc/hostname"), lambda: "")
    return {"y": x @ module.weights + tf.cast(tf.strings.length(text), tf.float32)}


def _calling(tf: Any, module: Any, x: Any) -> Any:
    returned = tf.py_function(lambda given: given, [x], tf.float32)
    return {"y": tf.reshape(returned, [-1, FEATURES]) @ module.weights}


def _printing(tf: Any, module: Any, x: Any) -> Any:
    tf.print("text", output_stream="file://stolen.txt")
    return {"y": x @ module.weights}


_FUNCTIONS = {
    "plain": lambda _, module, x: {"y": x @ module.weights},
    "shifted": lambda _, module, x: {"y": x @ module.weights + 1.0},
    "two_inputs": lambda _, module, x, other: {"y": (x + other) @ module.weights},
    "not_a_number": lambda _, module, x: {"y": x[:, :2] + module.diverged},
    "strings": lambda tf, _, text: {"y": tf.strings.length(text)},
    "branching": _branching,
    "writing": _writing,
    "reading": _reading,
    "calling": _calling,
    "printing": _printing,
}


def _custom_operation(path: Path) -> Path:
    """Write a SavedModel with an operation that nobody has, as one made with a library of its own would be."""
    from tensorflow.core.protobuf import saved_model_pb2

    _module(serving_default="plain")(path)
    file = path / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    for function in model.meta_graphs[0].graph_def.library.function:
        for node in function.node_def:
            node.op = "OursAlone" if node.op == "MatMul" else node.op
    file.write_bytes(model.SerializeToString())
    return path


def _saver_is_called(path: Path) -> Path:
    """Write a SavedModel whose serving function calls the one that saves variables, which writes files."""
    from tensorflow.core.protobuf import saved_model_pb2

    _module(serving_default="plain")(path)
    file = path / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    library = model.meta_graphs[0].graph_def.library.function
    saver = next(each.signature.name for each in library if "traced_save" in each.signature.name)
    serving = next(each for each in library if "signature_wrapper" in each.signature.name)
    call = next(node for node in serving.node_def if node.op == "StatefulPartitionedCall")
    call.attr["f"].func.name = saver
    file.write_bytes(model.SerializeToString())
    return path


def _of_tensorflow_1(path: Path) -> Path:
    import tensorflow as tf

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        given = tf.compat.v1.placeholder(tf.float32, [None, FEATURES], name="x")
        weights = tf.compat.v1.get_variable("w", [FEATURES, 2], use_resource=False)
        answers = tf.matmul(given, weights, name="y")
        session.run(tf.compat.v1.global_variables_initializer())
        builder = tf.compat.v1.saved_model.Builder(str(path))
        info = tf.compat.v1.saved_model.build_tensor_info
        signature = tf.compat.v1.saved_model.build_signature_def({"x": info(given)}, {"y": info(answers)})
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature})
        builder.save()
    return path


def _lite(change: Any = None, units: int = 3) -> Any:
    def write(path: Path) -> Path:
        import tensorflow as tf
        import tf_keras

        converter = tf.lite.TFLiteConverter.from_keras_model(small(tf_keras, units))
        if change is not None:
            change(converter, tf)
        file = path.with_suffix(".tflite")
        file.write_bytes(converter.convert())
        return file

    return write


def _half(converter: Any, tf: Any) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]


def _dynamic(converter: Any, tf: Any) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]


def _samples() -> Any:
    draw = np.random.default_rng(0)
    return ([draw.random((1, 6, 6, 1), np.float32)] for _ in range(8))


def _int8(converter: Any, tf: Any) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = _samples
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.uint8


def _int16(converter: Any, tf: Any) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = _samples
    eights = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    converter.target_spec.supported_ops = [eights]


def _lite_function(function: Any, inputs: int, *, flex: bool = False, custom: bool = False) -> Any:
    def write(path: Path) -> Path:
        import tensorflow as tf

        specs = [tf.TensorSpec([1, FEATURES], tf.float32, name=f"x{number}") for number in range(inputs)]
        concrete = tf.function(lambda *given: function(tf, *given)).get_concrete_function(*specs)
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
        converter.allow_custom_ops = custom
        if flex:
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
        file = path.with_suffix(".tflite")
        file.write_bytes(converter.convert())
        return file

    return write


def _onnx(path: Path) -> Path:
    import tensorflow as tf
    import tf2onnx
    import tf_keras

    model = small(tf_keras)
    given = tf.TensorSpec([None, 6, 6, 1], tf.float32, name="image")
    function = tf.function(lambda image: model(image, training=False))
    file = path.with_suffix(".onnx")
    tf2onnx.convert.from_function(function, input_signature=[given], opset=17, output_path=str(file))
    return file


def _torch(path: Path) -> Path:
    import torch

    from workbench.convert.incoming.torch_module import write_program

    torch.manual_seed(0)
    parts = torch.nn
    module = parts.Sequential(
        parts.Conv2d(1, 2, 3), parts.BatchNorm2d(2), parts.ReLU(), parts.Flatten(), parts.Linear(32, 3)
    )
    file = path.with_suffix(".pt2")
    write_program(module, np.zeros((2, 1, 6, 6), np.float32), file)
    return file


def _packed(made: Any, format_: Any) -> Any:
    def write(path: Path) -> Path:
        from workbench.evaluate.packing import pack

        file = path.with_suffix(".packed")
        file.write_bytes(pack(made(path).read_bytes(), format_))
        return file

    return write


_WRITERS = {
    "tf_keras": _saved("tf_keras", ".keras"),
    "tf_keras_h5": _saved("tf_keras", ".h5"),
    "keras3": _saved("keras", ".keras"),
    "keras3_h5": _saved("keras", ".h5"),
    "without_training": _without_training,
    **{f"{library}_without_shape": _without_shape(library) for library in ("keras", "tf_keras")},
    "with_rules": _with_rules,
    "diverged": _diverged,
    "custom_layer": _custom_layer,
    "with_lambda": _with_lambda,
    "keras_saved_model": _keras_saved_model,
    "keras3_export": _keras3_export,
    "module": _module(serving_default="plain", shifted="shifted", both="two_inputs"),
    "no_default": _module(shifted="shifted"),
    "two_inputs": _module(serving_default="two_inputs", plain="plain"),
    "branching": _module(serving_default="branching"),
    "strings": _module(serving_default="strings"),
    "not_a_number": _module(serving_default="not_a_number"),
    "writing": _module(serving_default="plain", hidden="writing"),
    "reading": _module(serving_default="reading"),
    "calling": _module(serving_default="calling"),
    "printing": _module(serving_default="printing"),
    "custom_operation": _custom_operation,
    "saver_is_called": _saver_is_called,
    "tensorflow_1": _of_tensorflow_1,
    "float32": _lite(),
    "float16": _lite(_half),
    "dynamic": _lite(_dynamic, units=64),  # kernels under 1,024 weights stay as they are
    "int8": _lite(_int8),
    "int16x8": _lite(_int16),
    "flex": _lite_function(lambda tf, x: tf.linalg.det(tf.reshape(x, [2, 2])), 1, flex=True),
    "custom": _lite_function(lambda tf, x: tf.raw_ops.Betainc(a=x, b=x, x=x), 1, custom=True),
    "lite_two_inputs": _lite_function(lambda _, x, other: x + other, 2),
    "onnx": _onnx,
    "torch": _torch,
    "packed_onnx": _packed(_onnx, "onnx"),
    "packed_tflite": _packed(_lite(), "tflite"),
    "packed_keras": _packed(_saved("tf_keras", ".keras"), "tf_keras"),
}


def answers(context: StageContext) -> list[list[float]]:
    """Return what an artifact answers to three samples of ones."""
    from workbench.core.artifact import Artifact
    from workbench.evaluate.runtimes.base import open_runtime

    artifact = Artifact.load(context.settings["folder"]).verify(context.settings["sha256"])
    with open_runtime(artifact) as runtime:
        values: list[list[float]] = runtime.predict(np.ones((3, *runtime.inputs[0].shape[1:]))).tolist()
        return values


def unknown_operations(context: StageContext) -> list[str]:
    """Return those of the names that are no operation of TensorFlow."""
    import tensorflow as tf  # noqa: F401 - it registers them
    from tensorflow.python.framework import op_def_registry

    return [name for name in context.settings["names"] if op_def_registry.get(name) is None]
