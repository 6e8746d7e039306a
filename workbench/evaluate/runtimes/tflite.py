"""LiteRT (TensorFlow Lite) on the CPU, without TensorFlow."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import BadInputError
from workbench.evaluate.runtimes.base import Runtime, TensorSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from workbench.core.artifact import Artifact


class TfliteRuntime(Runtime):
    """Answers for a `.tflite` file; hides quantised inputs and outputs and a fixed batch size.

    An interpreter holds one set of tensors, so calls from several threads wait for each other.
    """

    def __init__(self, artifact: Artifact, threads: int) -> None:
        """Build the interpreter from the file's bytes, which then may be replaced on disk."""
        self._content = artifact.path.read_bytes()
        self._lock = threading.Lock()
        self.threads = threads
        self._fixed_batch = False
        self._build()
        signature = self._interpreter.get_signature_list().get("serving_default", {})
        self.inputs = (_spec(self._input, signature.get("inputs", ()), free_batch=True),)
        self.outputs = (_spec(self._output, signature.get("outputs", ()), free_batch=True),)

    def _build(self) -> None:
        from ai_edge_litert.interpreter import Interpreter

        with _unannounced():
            self._interpreter = Interpreter(model_content=self._content, num_threads=self.threads)
            self._interpreter.allocate_tensors()
        self._input = _only("inputs", self._interpreter.get_input_details())
        self._output = _only("outputs", self._interpreter.get_output_details())
        self._batch = int(self._input["shape"][0])

    def _run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        with self._lock:
            if len(batch) != self._batch and not self._fixed_batch:
                self._resize(len(batch))
            if not self._fixed_batch:
                return self._invoke(batch)
            return np.concatenate([self._invoke(part) for part in self._parts(batch)])[: len(batch)]

    def _parts(self, batch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        # The last part is filled up with its own last sample; `_run` cuts those answers off.
        missing = -len(batch) % self._batch
        filled = np.concatenate([batch, batch[-1:].repeat(missing, axis=0)]) if missing else batch
        return list(filled.reshape(-1, self._batch, *batch.shape[1:]))

    def _resize(self, samples: int) -> None:
        """Make room for another batch size; a graph that cannot (a constant reshape) is answered in parts."""
        try:
            self._interpreter.resize_tensor_input(self._input["index"], [samples, *self._input["shape"][1:]])
            self._interpreter.allocate_tensors()
            answers = int(self._interpreter.get_output_details()[0]["shape"][0])
        except (RuntimeError, ValueError):
            answers = -1
        if answers == samples:
            self._batch = samples
            return
        self._build()
        self._fixed_batch = True

    def _invoke(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        self._interpreter.set_tensor(self._input["index"], quantise(batch, self._input))
        self._interpreter.invoke()
        return dequantise(self._interpreter.get_tensor(self._output["index"]), self._output)

    def close(self) -> None:
        """Free the interpreter's memory."""
        del self._interpreter


_announced = threading.Event()


@contextlib.contextmanager
def _unannounced() -> Iterator[None]:
    """Keep the engine's first interpreter from announcing its delegate on the terminal.

    LiteRT writes that line once a process to the file descriptor itself and has no setting for it.
    """
    if _announced.is_set():
        yield
        return
    _announced.set()
    sys.stderr.flush()
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # a process without a stderr has nothing to keep clean
            kept = os.dup(2)
            stack.callback(os.close, kept)
            stack.callback(os.dup2, kept, 2)
            with Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), 2)
        yield


def quantise(values: NDArray[np.float32], details: dict[str, Any]) -> NDArray[Any]:
    """Return real values as the tensor stores them: round(value / scale) + zero point, saturated.

    Args:
        values: Real values, float32.
        details: The tensor's `dtype` and `quantization` (scale, zero point) as the interpreter gives them.
    """
    dtype = np.dtype(details["dtype"])
    if dtype.kind not in "iu":
        return values.astype(dtype, copy=False)
    scale, zero_point = _affine(details)
    limits = np.iinfo(dtype)
    stored: NDArray[Any] = np.clip(np.rint(values / scale) + zero_point, limits.min, limits.max)
    return stored.astype(dtype)


def dequantise(values: NDArray[Any], details: dict[str, Any]) -> NDArray[np.float32]:
    """Return stored values as real ones, float32: (value − zero point) × scale."""
    if values.dtype.kind not in "iu":
        return values.astype(np.float32, copy=False)
    scale, zero_point = _affine(details)
    return (values.astype(np.float32) - np.float32(zero_point)) * np.float32(scale)


def _affine(details: dict[str, Any]) -> tuple[float, int]:
    scale, zero_point = details["quantization"]
    # A scale of 0 means that the tensor holds plain integers.
    return (float(scale), int(zero_point)) if scale else (1.0, 0)


def _only(kind: str, tensors: list[dict[str, Any]]) -> dict[str, Any]:
    if len(tensors) != 1:
        raise BadInputError.of(kind, rule="must be exactly one", got=[each["name"] for each in tensors])
    return tensors[0]


def _spec(details: dict[str, Any], names: Any, *, free_batch: bool) -> TensorSpec:
    (name,) = names or (details["name"],)
    shape = [int(axis) for axis in details.get("shape_signature", details["shape"])]
    if free_batch and shape:
        shape[0] = -1
    # Callers give and get real values, whatever the file stores.
    return TensorSpec(name=str(name), dtype="float32", shape=tuple(shape))
