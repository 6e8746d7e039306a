"""The stage behind an estimator's fit: train, and write the ONNX file that answers in the kernel, in one job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.artifact import Artifact
from workbench.core.errors import ParityError
from workbench.core.workspace import write_atomic
from workbench.datasets.kinds import input_name
from workbench.train import answering, fit

if TYPE_CHECKING:
    from workbench.jobs.stage import StageContext

STAGE = "workbench.train.answerable:run"
# Not `train`: a panel shows the newest training that a person asked for, and a search asks for many.
KIND = "fit"
FOLDER, FILE = "onnx", "model.onnx"
_OPSET = 17
_COMPARED = 64
_MAX_ABS = 1e-4


def run(context: StageContext) -> dict[str, Any]:
    """Train one model and write it as ONNX too.

    Returns:
        What `workbench.train.fit.run` does, and `onnx`, the folder of the other artifact.

    Raises:
        ParityError: The ONNX file does not answer like the model.
    """
    model, artifact, curve = fit.fitted(context)
    folder = context.result / FOLDER
    write_atomic(folder / FILE, _as_onnx(model))
    onnx = Artifact.write(
        folder,
        file=FILE,
        name=artifact.name,
        format="onnx",
        numeric="float32",
        parent=artifact.sha256,
        settings=artifact.settings,
        metrics={"classes": artifact.metrics["classes"]},
        seed=artifact.seed,
    )
    _require_parity(model, onnx)
    return {"artifact": str(artifact.folder), "onnx": str(onnx.folder), "curve": curve.to_json()}


def _as_onnx(model: Any) -> bytes:
    import tensorflow as tf
    import tf2onnx

    given = model.inputs[0]
    signature = tf.TensorSpec([None, *given.shape[1:]], given.dtype, name=input_name(given.shape[1:]))
    answer = tf.function(lambda given: {"probabilities": model(given, training=False)}, input_signature=[signature])
    made, _ = tf2onnx.convert.from_function(answer, input_signature=[signature], opset=_OPSET)
    for value in (*made.graph.input, *made.graph.output):
        # tf2onnx numbers free axes (`unk__29`): one name says that input and output share theirs.
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    data: bytes = made.SerializeToString()
    return data


def _require_parity(model: Any, onnx: Artifact) -> None:
    shape = (_COMPARED, *model.inputs[0].shape[1:])
    images = np.random.default_rng(0).random(shape, np.float32)
    difference = float(np.abs(np.asarray(model(images, training=False)) - answering.probabilities(onnx, images)).max())
    if not difference <= _MAX_ABS:
        raise ParityError(f"{onnx.path} must answer like its source within {_MAX_ABS:g}, got {difference:g}.")
