"""Stages that write model files as people bring them; they need frameworks, so they run in children."""

from pathlib import Path
from typing import Any

from workbench.jobs import StageContext


def write_all(context: StageContext) -> dict[str, str]:
    """Write every kind of file, returns their paths by name."""
    return {name: str(write(context.result)) for name, write in _WRITERS.items()}


def tampered_conversion(context: StageContext) -> dict[str, str]:
    """Convert to ONNX with a converter that shifts one bias."""
    import onnx

    from workbench.convert import onnx as unit
    from workbench.convert import run

    write = unit.OnnxConverter.write

    def tamper(self: unit.OnnxConverter, *args: Any) -> dict[str, Any]:
        facts = write(self, *args)
        target = args[2]
        model = onnx.load(target)
        bias = next(each for each in model.graph.initializer if list(each.dims) == [10])
        values = onnx.numpy_helper.to_array(bias).copy()
        values[0] += 3.0
        bias.CopyFrom(onnx.numpy_helper.from_array(values, bias.name))
        onnx.save(model, target)
        return facts

    unit.OnnxConverter.write = tamper  # type: ignore[method-assign]
    return run.run(context)


def fixed_batch(context: StageContext) -> str:
    """Write a TFLite model that is made for two samples: a constant reshape forbids any other batch."""
    import numpy as np
    import tensorflow as tf

    weights = tf.constant(np.random.default_rng(0).normal(size=(784, 10)), tf.float32)

    @tf.function(input_signature=[tf.TensorSpec([2, 28, 28, 1], tf.float32, name="image")])  # type: ignore[untyped-decorator]
    def answer(image: Any) -> Any:
        return tf.nn.softmax(tf.reshape(image, [2, 784]) @ weights)

    converter = tf.lite.TFLiteConverter.from_concrete_functions([answer.get_concrete_function()])
    path = context.result / "fixed.tflite"
    path.write_bytes(converter.convert())
    np.save(context.result / "weights.npy", weights.numpy())
    return str(path)


def signature(context: StageContext) -> str:
    """Return what TensorFlow's own `saved_model_cli show --all` says of a SavedModel."""
    import contextlib
    import io

    from tensorflow.python.tools import saved_model_cli

    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        saved_model_cli._show_all(context.settings["path"])
    return text.getvalue()


def _layers(library: Any) -> list[Any]:
    kinds = library.layers
    return [
        kinds.Input((28, 28, 1)),
        kinds.Conv2D(4, 3, strides=2, activation="relu", padding="same"),
        kinds.BatchNormalization(),
        kinds.DepthwiseConv2D(3, activation="relu"),
        kinds.MaxPooling2D(2),
        kinds.Dropout(0.2),
        kinds.Flatten(),
        kinds.Dense(10, activation="softmax"),
    ]


def _tf_keras(ending: str, *extra: Any) -> Any:
    def write(folder: Path) -> Path:
        import tf_keras

        path = folder / f"plain{len(extra)}{ending}"
        added = [tf_keras.layers.Lambda(each, name="twice") for each in extra]
        layers = _layers(tf_keras)
        model = tf_keras.Sequential([*layers[:-2], *added, *layers[-2:]])
        model.compile("adam", "categorical_crossentropy")
        model.save(path)
        return path

    return write


def _logits(folder: Path) -> Path:
    import tf_keras

    path = folder / "logits.keras"
    layers = tf_keras.layers
    tf_keras.Sequential([layers.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10)]).save(path)
    return path


def _keras3(ending: str) -> Any:
    def write(folder: Path) -> Path:
        import keras

        path = folder / f"modern{ending}"
        model = keras.Sequential(_layers(keras), name="modern")
        # Moving statistics that are not those of a new layer: a twin that forgot them would answer otherwise.
        norm = model.layers[1]
        norm.set_weights([value + 0.5 for value in norm.get_weights()])
        model.save(path)
        return path

    return write


def _keras3_other(name: str) -> Any:
    def write(folder: Path) -> Path:
        import keras

        path = folder / f"{name}.keras"
        inputs = keras.Input((28, 28, 1))
        flat = keras.layers.Flatten()(inputs)
        if name == "functional":
            keras.Model(inputs, keras.layers.Dense(10)(flat)).save(path)
        else:
            layers = [keras.Input((6, 4)), keras.layers.GRU(4, name="memory"), keras.layers.Dense(2)]
            keras.Sequential(layers).save(path)
        return path

    return write


_WRITERS = {
    "tf_keras": _tf_keras(".keras"),
    "h5": _tf_keras(".h5"),
    "logits": _logits,
    "lambda": _tf_keras(".keras", lambda x: 2 * x),
    "lambda_h5": _tf_keras(".h5", lambda x: 2 * x),
    "keras3": _keras3(".keras"),
    "keras3_h5": _keras3(".h5"),
    "functional": _keras3_other("functional"),
    "recurrent": _keras3_other("recurrent"),
}
