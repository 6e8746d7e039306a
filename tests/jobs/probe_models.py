"""Stages that write model files as people bring them; they need frameworks, so they run in children."""

from pathlib import Path
from typing import Any

from workbench.jobs import StageContext


def write_all(context: StageContext) -> dict[str, str]:
    """Write every kind of file, returns their paths by name."""
    import tf_keras

    tf_keras.utils.set_random_seed(0)  # of Keras 3 too: both draw their seeds from `random`
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


def _empty_channels(folder: Path) -> Path:
    import tf_keras

    path = folder / "empty.keras"
    layers = _layers(tf_keras)
    model = tf_keras.Sequential([*layers[:2], *layers[-2:]])
    kernel, bias = model.layers[0].get_weights()
    kernel[..., ::2], bias[:] = 0, 0.5
    model.layers[0].set_weights([kernel, bias])
    model.save(path)
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
        _MODERN[name](keras).save(path)
        return path

    return write


def residual(keras: Any) -> Any:
    """A functional model with what people build from: a sum, a concatenation, a layer called twice."""
    layers = keras.layers
    inputs = keras.Input((28, 28, 1), name="digits")
    start = layers.Conv2D(6, 3, strides=2, padding="same", use_bias=False)(inputs)
    start = layers.LeakyReLU(negative_slope=0.1)(layers.BatchNormalization()(start))
    shared = layers.DepthwiseConv2D(3, padding="same", name="shared")
    summed = layers.Add(name="residual")([start, shared(shared(start))])
    joined = layers.Concatenate()([summed, layers.MaxPooling2D(3, strides=1, padding="same")(start)])
    pooled = layers.GlobalAveragePooling2D()(layers.ReLU(6.0)(joined))
    model = keras.Model(inputs, layers.Dense(10, activation="softmax")(pooled), name="residual")
    model.layers[2].set_weights([value + 0.5 for value in model.layers[2].get_weights()])
    return model


def _grouped(keras: Any) -> Any:
    layers = [
        keras.Input((6, 4)),
        keras.layers.GroupNormalization(2, name="groups"),
        keras.layers.Flatten(),
        keras.layers.Dense(2),
    ]
    return keras.Sequential(layers)


def _two_inputs(keras: Any) -> Any:
    first, second = keras.Input((4,)), keras.Input((4,))
    return keras.Model([first, second], keras.layers.Add()([first, second]))


def live(context: StageContext) -> dict[str, Any]:
    """Adopt a live model of either Keras from inside its own process; returns folder and answers."""
    import keras
    import numpy as np
    import tf_keras

    from workbench.convert.adopt import adopt

    library = {"keras": keras, "tf_keras": tf_keras}[context.settings["library"]]
    layers = library.layers
    library.utils.set_random_seed(0)
    model = library.Sequential([layers.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10, activation="softmax")])
    noise = np.random.default_rng(0).random((8, 28, 28, 1), np.float32)
    answers = np.asarray(model(noise, training=False)).tolist()
    return {"artifact": str(adopt(model, workspace=context.workspace).folder), "answers": answers}


def tools_alone(context: StageContext) -> dict[str, str]:
    """Return what tf_keras and tfmot themselves say of a Keras 3 file and of a Keras 3 model."""
    import keras
    import tensorflow_model_optimization as tfmot
    import tf_keras

    tries = {
        "tf_keras": lambda: tf_keras.models.load_model(context.settings["path"]),
        "tfmot": lambda: tfmot.quantization.keras.quantize_model(keras.Sequential(_layers(keras))),
    }
    said = {}
    for name, attempt in tries.items():
        try:
            attempt()
        except Exception as error:  # noqa: BLE001 - whatever they raise is what is asked for
            said[name] = str(error)
    return said


_MODERN = {"residual": residual, "grouped": _grouped, "two_inputs": _two_inputs}
_WRITERS = {
    "tf_keras": _tf_keras(".keras"),
    "h5": _tf_keras(".h5"),
    "logits": _logits,
    "empty_channels": _empty_channels,
    "lambda": _tf_keras(".keras", lambda x: 2 * x),
    "lambda_h5": _tf_keras(".h5", lambda x: 2 * x),
    "keras3": _keras3(".keras"),
    "keras3_h5": _keras3(".h5"),
    **{name: _keras3_other(name) for name in _MODERN},
}
