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
from workbench.evaluate.runtimes.base import Runtime, TensorSpec, in_parts, single

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from workbench.core.artifact import Artifact


class TfliteRuntime(Runtime):
    """Answers for a `.tflite` file; hides quantised inputs and outputs.

    An interpreter holds one set of tensors, so calls from several threads wait for each other.
    """

    def __init__(self, artifact: Artifact, threads: int) -> None:
        """Build the interpreter from the file's bytes, which then may be replaced on disk."""
        self._content = self._flatbuffer(artifact)
        self._lock = threading.Lock()
        self.threads = threads
        self._build()
        signature = self._interpreter.get_signature_list().get("serving_default", {})
        self.inputs, self.outputs, self.made_for = single(
            [_spec(self._input, signature.get("inputs", ()))], [_spec(self._output, signature.get("outputs", ()))]
        )

    @staticmethod
    def _flatbuffer(artifact: Artifact) -> bytes:
        return artifact.path.read_bytes()

    def _build(self) -> None:
        from ai_edge_litert.interpreter import Interpreter

        with unannounced():
            self._interpreter = Interpreter(model_content=self._content, num_threads=self.threads)
            self._interpreter.allocate_tensors()
        self._input = _only("inputs", self._interpreter.get_input_details())
        self._output = _only("outputs", self._interpreter.get_output_details())
        self._batch = int(self._input["shape"][0])

    def _run(self, batch: NDArray[Any]) -> NDArray[np.float32]:
        with self._lock:
            if len(batch) != self._batch and not self._resized(len(batch)):
                self.made_for = self._batch
                return in_parts(batch, self._batch, self._invoke)
            return self._invoke(batch)

    def _resized(self, samples: int) -> bool:
        """Make room for another batch size, and say whether the graph could (a constant reshape cannot)."""
        try:
            self._interpreter.resize_tensor_input(self._input["index"], [samples, *self._input["shape"][1:]])
            self._interpreter.allocate_tensors()
            answers = int(self._interpreter.get_output_details()[0]["shape"][0])
        except (RuntimeError, ValueError):
            answers = -1
        if answers == samples:
            self._batch = samples
            return True
        self._build()
        return False

    def _invoke(self, batch: NDArray[Any]) -> NDArray[np.float32]:
        # The state of a recurrent layer outlives a call: what was answered before must not matter.
        self._interpreter.reset_all_variables()
        self._interpreter.set_tensor(self._input["index"], quantise(batch, self._input))
        self._interpreter.invoke()
        return dequantise(self._interpreter.get_tensor(self._output["index"]), self._output)

    def close(self) -> None:
        """Free the interpreter's memory."""
        del self._interpreter


_announced = threading.Event()


@contextlib.contextmanager
def unannounced() -> Iterator[None]:
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


def quantise(values: NDArray[Any], details: dict[str, Any]) -> NDArray[Any]:
    """Return real values as the tensor stores them: round(value / scale) + zero point, saturated.

    Args:
        values: Real values.
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


def _spec(details: dict[str, Any], names: Any) -> TensorSpec:
    (name,) = names or (details["name"],)
    shape = tuple(int(axis) for axis in details.get("shape_signature", details["shape"]))
    # Callers give and get real values, whatever the file stores; integers without a scale are what they are.
    dtype = np.dtype(details["dtype"])
    plain = dtype.kind in "iu" and not details["quantization"][0]
    return TensorSpec(name=str(name), dtype=dtype.name if plain else "float32", shape=shape)
