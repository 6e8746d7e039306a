"""tf_keras: what compression takes, of a Keras 3 model, a legacy file, an ONNX graph or a packed file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from workbench.convert.base import Converter, Tool, engine
from workbench.convert.keras3 import twin_of
from workbench.convert.keras_layers import without_twin
from workbench.convert.onnx_twin import keras_twin, unknown_operator
from workbench.core.errors import BadInputError
from workbench.evaluate.packing.container import unpack
from workbench.evaluate.packing.frame import format_of
from workbench.train.saving import save_model

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.convert.facts import ModelFacts
    from workbench.convert.representative import Representative
    from workbench.convert.settings import ConvertSettings
    from workbench.convert.source import Source
    from workbench.core.artifact import Format, Numeric

_UNPACKER = Tool("constriction", "constriction")


class TfKerasConverter(Converter):
    """Writes a `.keras` file of tf_keras, without optimizer state; one that was packed comes out byte for byte."""

    file: ClassVar[str] = "model.keras"
    sources: ClassVar[tuple[Format, ...]] = ("keras", "h5", "onnx", "packed")
    tool: ClassVar[Tool] = Tool("tf_keras", "tf_keras", "train")

    @classmethod
    def tools(cls, source: Format, numeric: Numeric) -> tuple[Tool, ...]:
        """Return tf_keras, or what a packed file is undone with."""
        del numeric
        return (_UNPACKER if source == "packed" else cls.tool,)

    @classmethod
    def objection(cls, facts: ModelFacts, numeric: Numeric) -> str:
        """Refuse ONNX operators that have no plain Keras layer, and layers of Keras 3 that have no twin."""
        del numeric
        if facts.format == "keras" and (kind := without_twin(facts.operators)):
            return f"Its layer {kind} has no tf_keras twin."
        said = unknown_operator(facts.operators) if facts.format == "onnx" else ""
        return f"Its graph has no twin of plain layers: {said}." if said else ""

    def write(
        self,
        source: Source,
        settings: ConvertSettings,  # noqa: ARG002 - the face of all converters
        target: Path,
        representative: Representative,  # noqa: ARG002
    ) -> dict[str, Any]:
        """Rebuild a Keras 3 model by layers and an ONNX one by nodes; save a legacy one anew; unpack a packed one.

        Raises:
            BadInputError: A layer or node has no tf_keras twin, and is named; or the packed file holds another format.
            WorkspaceError: The disk refused it.
        """
        if source.artifact.format == "packed":
            return _unpacked(source.artifact.path.read_bytes(), target)
        save_model(_model(source), target)
        return {"engine": engine("tf_keras")}


def _model(source: Source) -> Any:
    """Return the live tf_keras model that a source is or becomes."""
    if source.artifact.format == "onnx":
        import onnx

        return keras_twin(onnx.load(source.artifact.path))
    model = source.graph.model
    return twin_of(model) if source.artifact.format == "keras" else model


def _unpacked(data: bytes, target: Path) -> dict[str, Any]:
    inside = format_of(data)
    if inside != "tf_keras":
        raise BadInputError.of(
            "artifact", rule="must hold a tf_keras model to be unpacked to one", got=f"packed {inside}",
            hint="take the model that was packed",
        )  # fmt: skip
    target.write_bytes(unpack(data))
    return {"engine": engine(_UNPACKER.package)}
