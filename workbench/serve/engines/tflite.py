"""LiteRT (TensorFlow Lite) on the CPU, without TensorFlow, with every signature that the file has."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import BadInputError
from workbench.evaluate.runtimes.tflite import dequantise, quantise, unannounced
from workbench.serve.engines.base import Engine
from workbench.serve.engines.parts import any_batch, in_parts
from workbench.serve.signature import DEFAULT, TYPES, Signature, Tensor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.serve.engines.base import ModelFile

    Array = np.ndarray[Any, Any]
    Arrays = dict[str, Array]
    Details = dict[str, dict[str, Any]]


class TfliteEngine(Engine):
    """Answers for a `.tflite` file; hides quantised inputs and outputs."""

    platform = "tensorflow_lite"

    def __init__(self, model: ModelFile, threads: int) -> None:
        """Build an interpreter for each signature from the file's bytes, which then may be replaced on disk."""
        content = model.path.read_bytes()
        names = _interpreter(content, threads).get_signature_list()
        self._calls = {name: _Call(content, threads, name) for name in names} or {DEFAULT: _Call(content, threads, "")}
        # What is called where no name is given.
        self._calls.setdefault(DEFAULT, next(iter(self._calls.values())))
        self.signatures: Mapping[str, Signature] = {name: call.signature for name, call in self._calls.items()}

    def run(self, signature: str, feeds: Mapping[str, Array]) -> Arrays:
        """Answer one batch."""
        return self._calls[signature](feeds)

    def close(self) -> None:
        """Free the interpreters' memory."""
        self._calls.clear()


def _interpreter(content: bytes, threads: int) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    with unannounced():
        interpreter = Interpreter(model_content=content, num_threads=threads)
        interpreter.allocate_tensors()
    return interpreter


class _Call:
    """One signature and its interpreter, which holds one set of tensors: calls from several threads wait in turn."""

    def __init__(self, content: bytes, threads: int, name: str) -> None:
        self._content = content
        self._threads = threads
        self._name = name
        self._lock = threading.Lock()
        self._resizes = True
        self._build()
        self.signature = any_batch(Signature(_tensors(self._inputs), _tensors(self._outputs)))
        self._size = next((int(each["shape"][0]) for each in self._inputs.values() if len(each["shape"])), 1)

    def _build(self) -> None:
        self._interpreter = _interpreter(self._content, self._threads)
        if self._name:
            self._runner = self._interpreter.get_signature_runner(self._name)
            self._inputs: Details = self._runner.get_input_details()
            self._outputs: Details = self._runner.get_output_details()
        else:
            self._inputs = {each["name"]: each for each in self._interpreter.get_input_details()}
            self._outputs = {each["name"]: each for each in self._interpreter.get_output_details()}
            self._runner = self._run_nameless

    def __call__(self, feeds: Mapping[str, Array]) -> Arrays:
        with self._lock:
            return self._answer(feeds) if self._resizes else in_parts(feeds, self._size, self._invoke)

    def _answer(self, feeds: Mapping[str, Array]) -> Arrays:
        try:
            outputs = self._invoke(feeds)
            if self._kept_batch(feeds, outputs):
                return outputs
        except (RuntimeError, ValueError):
            pass  # not every graph takes another size: a constant reshape cannot
        self._build()
        try:
            outputs = in_parts(feeds, self._size, self._invoke)
        except (RuntimeError, ValueError) as error:
            self._build()
            shapes = {name: list(array.shape) for name, array in feeds.items()}
            raise BadInputError.of("inputs", rule="must fit together and the model", got=shapes) from error
        self._resizes = False
        return outputs

    def _kept_batch(self, feeds: Mapping[str, Array], outputs: Arrays) -> bool:
        if not all(
            tensor.shape and tensor.shape[0] == -1 for tensor in (*self.signature.inputs, *self.signature.outputs)
        ):
            return True
        return len({len(array) for array in (*feeds.values(), *outputs.values())}) == 1

    def _invoke(self, feeds: Mapping[str, Array]) -> Arrays:
        # The state of a recurrent layer outlives a call: what was answered before must not matter.
        self._interpreter.reset_all_variables()
        found = self._runner(**{name: _stored(feeds[name], details) for name, details in self._inputs.items()})
        return {name: _real(found[name], details) for name, details in self._outputs.items()}

    def _run_nameless(self, **feeds: Array) -> Arrays:
        for name, array in feeds.items():
            index = self._inputs[name]["index"]
            if array.shape != tuple(self._interpreter.get_tensor(index).shape):
                self._interpreter.resize_tensor_input(index, array.shape)
        self._interpreter.allocate_tensors()
        for name, array in feeds.items():
            self._interpreter.set_tensor(self._inputs[name]["index"], array)
        self._interpreter.invoke()
        return {name: self._interpreter.get_tensor(each["index"]) for name, each in self._outputs.items()}


def _quantised(details: dict[str, Any]) -> bool:
    # A scale of 0 means that the tensor holds plain numbers.
    return np.dtype(details["dtype"]).kind in "iu" and bool(details["quantization"][0])


def _stored(values: Array, details: dict[str, Any]) -> Array:
    return quantise(values, details) if _quantised(details) else np.ascontiguousarray(values)


def _real(values: Array, details: dict[str, Any]) -> Array:
    return dequantise(values, details) if _quantised(details) else values


def _tensors(every: Details) -> tuple[Tensor, ...]:
    return tuple(_tensor(name, details) for name, details in every.items())


def _tensor(name: str, details: dict[str, Any]) -> Tensor:
    # Callers give and get real values, whatever the file stores.
    kind = np.dtype(details["dtype"])
    dtype = "float32" if _quantised(details) else "string" if kind.kind in "OS" else kind.name
    if dtype not in TYPES:
        raise BadInputError.of(name, rule="must be a tensor of numbers, truths or texts", got=dtype)
    shape = details["shape_signature"] if len(details["shape_signature"]) else details["shape"]
    return Tensor(name, dtype, tuple(int(axis) for axis in shape))
