"""The model that a conversion starts from, as one TensorFlow function with a name for what goes in and out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError
from workbench.evaluate.runtimes.base import require_ours
from workbench.evaluate.runtimes.tf_keras import load_model

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.artifact import Artifact

INPUT, OUTPUT = "image", "probabilities"


@dataclass(frozen=True)
class Source:
    """A loaded model.

    Attributes:
        artifact: What was loaded.
        function: `tf.function` of one named input that gives a mapping with one named output.
        signature: The input's `tf.TensorSpec`: named, batch free.
        module: Holds the variables that the function uses.
    """

    artifact: Artifact
    function: Any
    signature: Any
    module: Any

    def export(self, folder: Path) -> None:
        """Write a SavedModel with the one signature `serving_default`, as TensorFlow Serving asks for."""
        import tensorflow as tf

        concrete = self.function.get_concrete_function()
        tf.saved_model.save(self.module, str(folder), signatures={"serving_default": concrete})


def load_source(artifact: Artifact) -> Source:
    """Load a tf_keras or SavedModel artifact.

    Raises:
        WorkspaceError: The file is missing, truncated or changed.
        UntrustedModelError: The artifact is not of this workspace.
        BadInputError: The format is none a conversion starts from, or there are several inputs or outputs.
    """
    artifact.verify()
    if artifact.format == "tf_keras":
        return _from_tf_keras(artifact)
    if artifact.format == "saved_model":
        return _from_saved_model(artifact)
    raise BadInputError.of(
        "artifact", rule="must be tf_keras or saved_model to be converted", got=artifact.label,
        hint="convert the model that it was made from",
    )  # fmt: skip


def _from_tf_keras(artifact: Artifact) -> Source:
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
    module.variables_by_name = {v.name.split(":")[0].replace("/", "."): v for v in model.variables}
    module.serve = serve
    return Source(artifact, serve, signature, module)


def _from_saved_model(artifact: Artifact) -> Source:
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
    return Source(artifact, serve, signature, loaded)
