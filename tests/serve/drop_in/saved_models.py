"""Writes the toy SavedModels of TensorFlow Serving's documentation and tests: `python saved_models.py FOLDER`.

`half_plus_two` and `half_plus_three` calculate y = x / 2 + 2 or 3, and classify and regress `tf.Example`s by it;
`functions` has two signatures of tf.functions. All are version 00000123.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import tensorflow as tf

v1 = tf.compat.v1
VERSION = "00000123"


def signature(inputs: dict[str, Any], outputs: dict[str, Any], method: str) -> Any:
    sides = [
        {name: v1.saved_model.build_tensor_info(tensor) for name, tensor in side.items()} for side in (inputs, outputs)
    ]
    return v1.saved_model.build_signature_def(*sides, f"tensorflow/serving/{method}")


def write_half_plus(folder: Path, number: float) -> None:
    with v1.Session(graph=tf.Graph()) as session:
        half, plus, three = (v1.Variable(value, name=name) for value, name in ((0.5, "a"), (number, "b"), (3.0, "c")))
        serialised = v1.placeholder(tf.string, name="tf_example", shape=[None])
        features = {
            "x": tf.io.FixedLenFeature([1], tf.float32),
            "x2": tf.io.FixedLenFeature([1], tf.float32, default_value=[0.0]),
        }
        parsed = v1.parse_example(serialised, features)
        x, x2 = (tf.identity(parsed[name], name=name) for name in ("x", "x2"))
        y, y2 = tf.identity(half * x + plus, name="y"), tf.identity(half * x + three, name="y2")
        y3 = tf.identity(half * x2 + three, name="y3")
        signatures = {
            "serving_default": signature({"x": x}, {"y": y}, "predict"),
            "tensorflow/serving/regress": signature({"inputs": serialised}, {"outputs": y}, "regress"),
            "regress_x_to_y": signature({"inputs": serialised}, {"outputs": y}, "regress"),
            "regress_x_to_y2": signature({"inputs": serialised}, {"outputs": y2}, "regress"),
            "regress_x2_to_y3": signature({"inputs": x2}, {"outputs": y3}, "regress"),
            "classify_x_to_y": signature({"inputs": serialised}, {"scores": y}, "classify"),
        }
        session.run(v1.global_variables_initializer())
        builder = v1.saved_model.Builder(str(folder / VERSION))
        builder.add_meta_graph_and_variables(session, ["serve"], signature_def_map=signatures)
        builder.save()


def write_functions(folder: Path) -> None:
    module = tf.Module()
    module.factor = tf.Variable(6.0)
    any_shape = [tf.TensorSpec(None, tf.float32, name="x")]
    module.times = tf.function(lambda x: {"y": module.factor * x}, input_signature=any_shape)
    module.two = tf.function(lambda _: {"y": 2.0}, input_signature=any_shape)
    signatures = {"serving_default": module.times, "custom_signature_key": module.two}
    tf.saved_model.save(module, str(folder / VERSION), signatures=signatures)


def main(folder: Path) -> None:
    write_half_plus(folder / "half_plus_two", 2.0)
    write_half_plus(folder / "half_plus_three", 3.0)
    write_functions(folder / "functions")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
