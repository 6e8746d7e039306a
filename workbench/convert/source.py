"""The model that a conversion starts from, as one TensorFlow function with a name for what goes in and out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError
from workbench.evaluate.runtimes.base import open_runtime, require_ours
from workbench.evaluate.runtimes.tf_keras import load_model

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.artifact import Artifact

INPUT, OUTPUT = "image", "probabilities"
_TENSORFLOW = ("tf_keras", "saved_model")


@dataclass(frozen=True)
class Graph:
    """A model as TensorFlow holds it.

    Attributes:
        function: `tf.function` of one named input that gives a mapping with one named output.
        signature: The input's `tf.TensorSpec`: named, batch free.
        module: Holds the variables that the function uses.
        model: The tf_keras model; None where it came as a SavedModel.
    """

    function: Any
    signature: Any
    module: Any
    model: Any = None


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
        if self.artifact.format == "tf_keras":
            return _from_tf_keras(self.artifact)
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
        layers = getattr(self.graph.model, "layers", ()) if self.artifact.format == "tf_keras" else ()
        return any(type(layer).__name__ == "QuantizeWrapperV2" for layer in layers)

    def export(self, folder: Path) -> None:
        """Write a SavedModel with the one signature `serving_default`, as TensorFlow Serving asks for."""
        import tensorflow as tf

        concrete = self.graph.function.get_concrete_function()
        tf.saved_model.save(self.graph.module, str(folder), signatures={"serving_default": concrete})


def load_source(artifact: Artifact) -> Source:
    """Check an artifact's file and return it as a source.

    Raises:
        WorkspaceError: The file is missing, truncated or changed.
    """
    return Source(artifact.verify())


def _from_tf_keras(artifact: Artifact) -> Graph:
    import tensorflow as tf

    model = load_model(artifact)
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise BadInputError.of(
            "artifact",
            rule="must have one input and one output",
            got=f"{len(model.inputs)} and {len(model.outputs)}",
        )
    given = model.inputs[0]
    signature = tf.TensorSpec([None, *given.shape[1:]], given.dtype, name=INPUT)

    @tf.function(input_signature=[signature])  # type: ignore[untyped-decorator]
    def serve(image: Any) -> dict[str, Any]:
        return {OUTPUT: model(image, training=False)}

    # A module with nothing but the variables: tracking the Keras model would write its layers' whole
    # serialisation into the file as well.
    module = tf.Module(name="model")
    module.variables_by_name = _by_name(model.variables)
    module.serve = serve
    return Graph(serve, signature, module, model)


def _by_name(variables: Any) -> dict[str, Any]:
    """Return variables by a name of their own; those of quantize wrappers share one."""
    found: dict[str, Any] = {}
    for variable in variables:
        name = variable.name.split(":")[0].replace("/", ".")
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
    signature = tf.TensorSpec([None, *inputs[name].shape[1:]], inputs[name].dtype, name=name)
    serve = tf.function(lambda given: call(**{name: given}), input_signature=[signature])
    return Graph(serve, signature, loaded)
