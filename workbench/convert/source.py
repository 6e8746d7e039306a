"""The model that a conversion starts from, as one TensorFlow function with a name for what goes in and out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError
from workbench.datasets.kinds import input_name
from workbench.evaluate.runtimes.base import open_runtime, require_ours
from workbench.evaluate.runtimes.h5 import load_h5
from workbench.evaluate.runtimes.keras import load_keras3
from workbench.evaluate.runtimes.tf_keras import load_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.core.artifact import Artifact, Format

OUTPUT = "probabilities"
LAYERED: tuple[Format, ...] = ("tf_keras", "keras", "h5")
_LOADERS = {"tf_keras": load_model, "keras": load_keras3, "h5": load_h5}
_TENSORFLOW = (*LAYERED, "saved_model")


@dataclass(frozen=True)
class Graph:
    """A model as TensorFlow holds it.

    Attributes:
        answer: Gives a mapping with one named output for a tensor.
        signature: The input's `tf.TensorSpec`: named, and batch free where the model's is.
        module: Holds the variables that `answer` uses.
        model: The live model of either Keras; None where it came as a SavedModel.
    """

    answer: Callable[[Any], dict[str, Any]]
    signature: Any
    module: Any
    model: Any = None

    @cached_property
    def function(self) -> Any:
        """`answer` as a `tf.function` of the signature."""
        import tensorflow as tf

        return tf.function(self.answer, input_signature=[self.signature])

    def of_one_sample(self) -> Graph:
        """Return the same for one sample a call."""
        import tensorflow as tf

        given = self.signature
        return replace(self, signature=tf.TensorSpec([1, *given.shape[1:]], given.dtype, name=given.name))

    @cached_property
    def loops(self) -> bool:
        """Whether something is calculated step by step, as recurrent layers do."""
        definition = self.function.get_concrete_function().graph.as_graph_def()
        nodes = [*definition.node, *(node for each in definition.library.function for node in each.node_def)]
        return any(node.op in ("While", "StatelessWhile") for node in nodes)


class Source:
    """An artifact, and its TensorFlow graph for whoever asks: some converters work on the file itself.

    Attributes:
        artifact: What is converted.
    """

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact

    @cached_property
    def graph(self) -> Graph:
        """The model as TensorFlow holds it, loaded when first asked for.

        Raises:
            UntrustedModelError: The artifact is not of this workspace.
            BadInputError: The format is none that TensorFlow opens, or there are several inputs or outputs.
        """
        if self.artifact.format in _LOADERS:
            return _from_layers(_LOADERS[self.artifact.format](self.artifact))
        if self.artifact.format == "saved_model":
            return _from_saved_model(self.artifact)
        raise BadInputError.of(
            "artifact", rule=f"must be {' or '.join(_TENSORFLOW)} for this conversion", got=self.artifact.label,
            hint="convert the model that it was made from",
        )  # fmt: skip

    @property
    def in_tensorflow(self) -> bool:
        """Whether `graph` can be asked for."""
        return self.artifact.format in _TENSORFLOW

    @cached_property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one sample; −1 where an axis is free."""
        if self.in_tensorflow:
            return tuple(-1 if axis is None else int(axis) for axis in self.graph.signature.shape[1:])
        with open_runtime(self.artifact) as runtime:
            return runtime.inputs[0].shape[1:]

    @property
    def quantization_aware(self) -> bool:
        """Whether the model was trained with the quantization it is to have, and still holds its ranges."""
        layers = getattr(self.graph.model, "layers", ()) if self.artifact.format in LAYERED else ()
        return any(type(layer).__name__ == "QuantizeWrapperV2" for layer in layers)


def load_source(artifact: Artifact) -> Source:
    """Check an artifact's file and return it as a source.

    Raises:
        WorkspaceError: The file is missing, truncated or changed.
    """
    return Source(artifact.verify())


def _from_layers(model: Any) -> Graph:
    import tensorflow as tf

    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise BadInputError.of(
            "artifact",
            rule="must have one input and one output",
            got=f"{len(model.inputs)} and {len(model.outputs)}",
        )
    given = model.inputs[0]
    signature = tf.TensorSpec(given.shape, given.dtype, name=input_name(given.shape[1:]))
    # A module with nothing but the variables: tracking the Keras model would write its layers' whole
    # serialisation into the file as well.
    module = tf.Module(name="model")
    module.variables_by_name = _by_name(model.weights)

    def serve(image: Any) -> dict[str, Any]:
        return {OUTPUT: model(image, training=False)}

    return Graph(serve, signature, module, model)


def _by_name(weights: Any) -> dict[str, Any]:
    """Return TensorFlow's variables by a name of their own; those of quantize wrappers share one."""
    found: dict[str, Any] = {}
    for weight in weights:
        # Keras 3 has a variable of its own around TensorFlow's, and a path for a name.
        name = getattr(weight, "path", weight.name).split(":")[0].replace("/", ".")
        variable = weight.value if hasattr(weight, "path") else weight
        found[f"{name}.{len(found)}" if name in found else name] = variable
    return found


def _from_saved_model(artifact: Artifact) -> Graph:
    require_ours(artifact)
    import tensorflow as tf

    loaded = tf.saved_model.load(str(artifact.path))
    call = loaded.signatures.get("serving_default")
    if call is None:
        raise BadInputError.of(
            artifact.file, rule="must have a `serving_default` signature", got=sorted(loaded.signatures)
        )
    inputs = call.structured_input_signature[1]
    if len(inputs) != 1 or len(call.structured_outputs) != 1:
        got = f"{sorted(inputs)} and {sorted(call.structured_outputs)}"
        raise BadInputError.of(artifact.file, rule="must have one input and one output", got=got)
    (name,) = inputs
    signature = tf.TensorSpec(inputs[name].shape, inputs[name].dtype, name=name)
    return Graph(lambda given: dict(call(**{name: given})), signature, loaded)
