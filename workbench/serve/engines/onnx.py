"""ONNX Runtime on the CPU, with every input and output that the file names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import BadInputError
from workbench.serve.engines.base import Engine
from workbench.serve.engines.parts import any_batch, in_parts
from workbench.serve.signature import DEFAULT, TYPES, Signature, Tensor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workbench.serve.engines.base import ModelFile

    Array = np.ndarray[Any, Any]
    Arrays = dict[str, Array]

_TENSOR = re.compile(r"tensor\((\w+)\)")
_DTYPES = {"float": "float32", "double": "float64"}


class OnnxEngine(Engine):
    """Answers for an `.onnx` file through `serving_default`."""

    platform = "onnx_onnxv1"

    def __init__(self, model: ModelFile, threads: int) -> None:
        """Build the session with `threads` inside one operator and none spinning.

        Raises:
            BadInputError: The model takes or gives nothing that is a tensor of numbers, truths or texts.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Threads that spin while they wait steal the cores of everything else on a small machine.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(model.path, options, providers=["CPUExecutionProvider"])
        inputs, outputs = _tensors(self._session.get_inputs()), _tensors(self._session.get_outputs())
        if len(inputs) < len(self._session.get_inputs()) or not outputs:
            nodes = [*self._session.get_inputs(), *self._session.get_outputs()]
            raise BadInputError.of(
                model.path.name, rule="must take and give tensors", got=[f"{node.name}: {node.type}" for node in nodes]
            )
        errors = onnxruntime.capi.onnxruntime_pybind11_state
        # A node that fails where the signature leaves sizes open fails of the sizes that were sent.
        loose = len(inputs) > 1 or any(-1 in tensor.shape[1:] for tensor in inputs)
        self._wrong_feeds = (errors.InvalidArgument, *((errors.Fail, errors.RuntimeException) if loose else ()))
        self._names = [tensor.name for tensor in outputs]
        self._texts_in = [tensor.name for tensor in inputs if tensor.dtype == "string"]
        self._texts_out = [tensor.name for tensor in outputs if tensor.dtype == "string"]
        one = any_batch(Signature(inputs, outputs))
        self._size = one.made_for
        self.signatures: Mapping[str, Signature] = {DEFAULT: one}

    def run(self, signature: str, feeds: Mapping[str, Array]) -> Arrays:
        """Answer one batch."""
        del signature  # there is one
        return self._call(feeds) if self._size is None else in_parts(feeds, self._size, self._call)

    def _call(self, feeds: Mapping[str, Array]) -> Arrays:
        if self._texts_in:
            feeds = {**feeds, **{name: _decoded(feeds[name]) for name in self._texts_in}}
        try:
            found = self._session.run(self._names, feeds)
        except self._wrong_feeds:
            # Its own text names files and nodes.
            raise BadInputError.of("inputs", rule="must fit together and the model", got=_shapes(feeds)) from None
        outputs: Arrays = dict(zip(self._names, found, strict=True))
        for name in self._texts_out:
            outputs[name] = _encoded(outputs[name])
        return outputs

    def close(self) -> None:
        """Free the session's memory."""
        del self._session


def _tensors(nodes: Iterable[Any]) -> tuple[Tensor, ...]:
    # `tensor(float)` is ONNX' name for float32; free axes come as names or None. A `seq(map(…))` is no tensor.
    found = []
    for node in nodes:
        match = _TENSOR.fullmatch(node.type)
        dtype = _DTYPES.get(match[1], match[1]) if match else ""
        if dtype in TYPES:
            shape = tuple(axis if isinstance(axis, int) else -1 for axis in node.shape)
            found.append(Tensor(node.name, dtype, shape))
    return tuple(found)


def _shapes(feeds: Mapping[str, Array]) -> dict[str, list[int]]:
    return {name: list(array.shape) for name, array in feeds.items()}


def _decoded(texts: Array) -> Array:
    try:
        return np.array([text.decode() for text in texts.flat], dtype=object).reshape(texts.shape)
    except UnicodeDecodeError as error:
        raise BadInputError.of("inputs", rule="must hold UTF-8 text", got=error.object[:32]) from None


def _encoded(texts: Array) -> Array:
    encoded = np.empty(texts.shape, dtype=object)
    encoded.ravel()[:] = [text if isinstance(text, bytes) else str(text).encode() for text in texts.flat]
    return encoded
