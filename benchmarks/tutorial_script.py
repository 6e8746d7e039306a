"""A sweep as tfmot's and TensorFlow Lite's tutorials would have one write it: one process, plain loops, no workbench.

Three ways, each reasonable:

- `points`: every point from the start: wrap, fit, strip, convert, gzip, evaluate one image at a time;
- `levels`: fine-tune once a sparsity, and share the stripped model among its formats;
- `batched`: the same with evaluation in batches.

Usage: `python tutorial_script.py WAY MODEL.keras DATA_FOLDER PLAN.json RESULT.json`. The model is a tf_keras file, the
folder holds `x_train.npy` (uint8), `y_train.npy`, `x_test.npy`, `y_test.npy`, the plan `sparsities`, `numerics`,
`epochs`, `batch_size`. The time of importing TensorFlow is told apart.
"""

# ruff: noqa: E402 - the variables must be set, and the clock started, before the frameworks are imported
# The tutorials' own settings: https://www.tensorflow.org/model_optimization/guide/pruning/pruning_with_keras
from __future__ import annotations

import gzip
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
_begun = time.perf_counter()

import numpy as np
import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras

IMPORTING = time.perf_counter() - _begun
BATCH = 256
REPRESENTATIVE = 100


class Clock:
    """Seconds by what they were spent on."""

    def __init__(self) -> None:
        self.seconds = {"train": 0.0, "convert": 0.0, "evaluate": 0.0}

    def __call__(self, what: str, call: Any, *arguments: Any) -> Any:
        """Make a call and book its seconds."""
        begun = time.perf_counter()
        value = call(*arguments)
        self.seconds[what] += time.perf_counter() - begun
        return value


def fine_tuned(path: str, sparsity: float, images: Any, labels: Any, plan: dict[str, Any]) -> Any:
    """Wrap, fit, strip."""
    model = tf_keras.models.load_model(path, compile=False)
    steps = -(-len(images) // plan["batch_size"]) * plan["epochs"]
    schedule = tfmot.sparsity.keras.PolynomialDecay(min(0.5, sparsity), sparsity, begin_step=0, end_step=steps)
    wrapped = tfmot.sparsity.keras.prune_low_magnitude(model, pruning_schedule=schedule)
    wrapped.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    wrapped.fit(
        images, labels, batch_size=plan["batch_size"], epochs=plan["epochs"], verbose=0,
        callbacks=[tfmot.sparsity.keras.UpdatePruningStep()],
    )  # fmt: skip
    return tfmot.sparsity.keras.strip_pruning(wrapped)


def converted(model: Any, numeric: str, images: Any) -> bytes:
    """Convert to TFLite, and gzip as the tutorials do to see the size."""
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if numeric != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if numeric == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if numeric == "int8":
        samples = images[:: len(images) // REPRESENTATIVE][:REPRESENTATIVE]
        converter.representative_dataset = lambda: ([sample[None]] for sample in samples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    content = converter.convert()
    gzip.compress(content)
    return bytes(content)


def answers(content: bytes, images: Any, batch: int) -> Any:
    """Answer all images, `batch` at a time; returns the labels."""
    interpreter = tf.lite.Interpreter(model_content=content)
    given = interpreter.get_input_details()[0]
    if batch > 1:
        interpreter.resize_tensor_input(given["index"], [batch, *given["shape"][1:]])
    interpreter.allocate_tensors()
    wanted = interpreter.get_output_details()[0]["index"]
    labels = []
    for start in range(0, len(images), batch):
        part = images[start : start + batch]
        if given["dtype"] == np.int8:
            scale, zero = given["quantization"]
            part = np.clip(np.rint(part / scale) + zero, -128, 127).astype(np.int8)
        missing = batch - len(part)
        if missing:
            part = np.concatenate([part, np.zeros((missing, *part.shape[1:]), part.dtype)])
        interpreter.set_tensor(given["index"], part)
        interpreter.invoke()
        labels.append(interpreter.get_tensor(wanted).argmax(axis=1)[: batch - missing])
    return np.concatenate(labels)


def main(way: str, model: str, folder: str, plan_file: str, result: str) -> None:
    """Sweep in one way and write seconds and points."""
    plan = json.loads(Path(plan_file).read_text(encoding="utf-8"))
    images, labels, test, truth = (
        np.load(Path(folder) / f"{name}.npy") for name in ("x_train", "y_train", "x_test", "y_test")
    )
    images, test = images.astype(np.float32) / 255, test.astype(np.float32) / 255
    clock, points = Clock(), []
    for sparsity in plan["sparsities"]:
        shared = None
        for numeric in plan["numerics"]:
            if shared is None or way == "points":
                shared = clock("train", fine_tuned, model, sparsity, images, labels, plan)
            content = clock("convert", converted, shared, numeric, images)
            said = clock("evaluate", answers, content, test, BATCH if way == "batched" else 1)
            right = "".join("1" if hit else "0" for hit in said == truth)
            points.append({"sparsity": sparsity, "numeric": numeric, "bytes": len(content), "correct": right})
    facts = {"importing": IMPORTING, "seconds": clock.seconds, "points": points}
    Path(result).write_text(json.dumps(facts), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
