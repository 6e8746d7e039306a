"""SavedModel, as TensorFlow Serving loads it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.convert.base import Converter, engine
from workbench.convert.image_bytes import BYTES_SIGNATURE, from_bytes
from workbench.convert.source import LAYERED

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.convert.representative import Representative
    from workbench.convert.settings import ConvertSettings
    from workbench.convert.source import Source
    from workbench.core.artifact import Format


class SavedModelConverter(Converter):
    """Writes a directory with the signature `serving_default`: `image` to `probabilities`, batch free.

    What takes no images calls its input `features`.

    With `bytes_signature` it has a second one, `serving_bytes`, that takes image files instead of arrays.
    """

    file: ClassVar[str] = "saved_model"
    sources: ClassVar[tuple[Format, ...]] = LAYERED

    def write(
        self,
        source: Source,
        settings: ConvertSettings,
        target: Path,
        representative: Representative,  # noqa: ARG002 - the face of all converters
    ) -> dict[str, Any]:
        """Write variables and graph, without optimizer and without Keras' own description.

        Raises:
            BadInputError: A bytes signature is asked for, and the model does not take images.
        """
        import tensorflow as tf

        graph = source.graph
        signatures = {"serving_default": graph.function.get_concrete_function()}
        if settings.bytes_signature:
            signatures[BYTES_SIGNATURE] = from_bytes(graph).get_concrete_function()
        held = {id(variable) for variable in graph.module.variables}
        used = (variable for each in signatures.values() for variable in each.variables)
        # Keras 3 keeps states of its own, such as a dropout's seed, apart from the weights.
        graph.module.others = [variable for variable in used if id(variable) not in held]
        tf.saved_model.save(graph.module, str(target), signatures=signatures)
        _identify_by_content(target / "fingerprint.pb")
        return {"engine": engine("tensorflow")}


def _identify_by_content(file: Path) -> None:
    """Let a model's identifier, which is drawn at random, follow from its content: the same model, the same bytes."""
    from tensorflow.core.protobuf.fingerprint_pb2 import FingerprintDef

    if not file.is_file():  # TensorFlow writes none where it cannot
        return
    fingerprint = FingerprintDef.FromString(file.read_bytes())
    fingerprint.ClearField("uuid")
    content = hashlib.sha256(fingerprint.SerializeToString(deterministic=True)).digest()
    fingerprint.uuid = str(int.from_bytes(content[:8], "big"))
    file.write_bytes(fingerprint.SerializeToString(deterministic=True))
