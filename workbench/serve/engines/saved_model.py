"""A SavedModel answered by TensorFlow, loaded as TensorFlow Serving loads it: one session and all signatures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.errors import BadInputError, MissingExtraError
from workbench.serve.engines.base import Engine
from workbench.serve.signature import TYPES, Signature, Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from workbench.serve.engines.base import ModelFile
    from workbench.serve.signature import Method

    Array = np.ndarray[Any, Any]

_TAG = "serve"
_METHODS: dict[str, Method] = {
    "tensorflow/serving/classify": "classify",
    "tensorflow/serving/regress": "regress",
}
_INITIALISER = "__saved_model_init_op"


class SavedModelEngine(Engine):
    """Answers through every signature of the `serve` graph, those that take serialised `tf.Example`s included."""

    platform = "tensorflow_savedmodel"

    def __init__(self, model: ModelFile, threads: int) -> None:
        """Load the graph; only now is TensorFlow imported.

        Raises:
            MissingExtraError: TensorFlow is not installed.
            UntrustedModelError: The graph does more than calculate, and nobody vouches for it.
            BadInputError: It is no SavedModel, or has no signature.
        """
        try:
            import tensorflow as tf
        except ImportError:
            raise MissingExtraError.of("Serving a SavedModel", "tensorflow", "train") from None
        if not model.trusted:
            _require_harmless(model)
        self._failures = (tf.errors.InvalidArgumentError, tf.errors.OutOfRangeError)
        config = tf.compat.v1.ConfigProto(
            intra_op_parallelism_threads=threads, inter_op_parallelism_threads=1, device_count={"GPU": 0}
        )
        # A session of its own, unlike eager functions, has its own threads and frees its memory when it is closed.
        self._session = tf.compat.v1.Session(graph=tf.Graph(), config=config)
        with self._session.graph.as_default():
            meta = _loaded(self._session, model)
        found = {
            name: signature
            for name, each in meta.signature_def.items()
            if name != _INITIALISER and (signature := _signature(each)) is not None
        }
        if not found:
            raise BadInputError.of(model.path.name, rule="must have a signature", got=sorted(meta.signature_def))
        self.signatures: Mapping[str, Signature] = dict(sorted(found.items()))
        self._calls = {name: self._callable(signature) for name, signature in found.items()}

    def _callable(self, signature: Signature) -> Callable[..., Sequence[Any]]:
        from tensorflow.core.protobuf import config_pb2

        options = config_pb2.CallableOptions(
            feed=[tensor.graph_name for tensor in signature.inputs],
            fetch=[tensor.graph_name for tensor in signature.outputs],
        )
        # `Session.run` refuses shapes that the C++ session takes, and costs twice as much.
        call: Callable[..., Sequence[Any]] = self._session._make_callable_from_options(options)  # noqa: SLF001
        return call

    def run(self, signature: str, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Answer one batch."""
        one = self.signatures[signature]
        try:
            found = self._calls[signature](*(feeds[tensor.name] for tensor in one.inputs))
        except self._failures as error:
            # The first line is TensorFlow's own and names no place; what follows names nodes of the graph.
            raise BadInputError(str(error.message).splitlines()[0]) from None
        return {tensor.name: np.asarray(array) for tensor, array in zip(one.outputs, found, strict=True)}

    def close(self) -> None:
        """Free the session."""
        self._calls.clear()
        self._session.close()
        del self._session


def _loaded(session: Any, model: ModelFile) -> Any:
    # The same by its public name announces on the terminal that it is old.
    from tensorflow.python.saved_model.loader_impl import SavedModelLoader

    return SavedModelLoader(str(model.path)).load(session, [_TAG])


def _require_harmless(model: ModelFile) -> None:
    from workbench.convert.incoming.saved_model_file import parse, require_harmless

    require_harmless(parse(model.path), model.path, trust=False)


def _signature(signature: Any) -> Signature | None:
    inputs, outputs = _tensors(signature.inputs), _tensors(signature.outputs)
    if inputs is None or not outputs:
        return None  # a sparse or composite tensor, or a type that NumPy has not
    return Signature(inputs, outputs, _METHODS.get(signature.method_name, "predict"))


def _tensors(infos: Mapping[str, Any]) -> tuple[Tensor, ...] | None:
    import tensorflow as tf

    found = []
    # TensorFlow Serving lets the runtime judge shapes: its own half_plus_three has [-1, 1] and is documented with [3].
    for name, info in sorted(infos.items()):
        dtype = tf.as_dtype(info.dtype).name
        if not info.name or dtype not in TYPES:
            return None
        unknown = info.tensor_shape.unknown_rank
        shape = () if unknown else tuple(int(axis.size) for axis in info.tensor_shape.dim)
        found.append(Tensor(name, dtype, shape, unknown_rank=unknown, advisory=not unknown, graph_name=info.name))
    return tuple(found)
