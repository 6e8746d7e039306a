"""Keras 3: what was trained and compressed with tf_keras, handed back as people use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from workbench.convert.base import Converter, Tool, engine
from workbench.convert.keras3 import keras3_of
from workbench.convert.keras_layers import without_twin
from workbench.train.saving import save_undated

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.convert.facts import ModelFacts
    from workbench.convert.representative import Representative
    from workbench.convert.settings import ConvertSettings
    from workbench.convert.source import Source
    from workbench.core.artifact import Format, Numeric


class KerasConverter(Converter):
    """Writes a `.keras` file that plain Keras 3 loads, on any of its backends, without tf_keras."""

    file: ClassVar[str] = "model.keras"
    sources: ClassVar[tuple[Format, ...]] = ("tf_keras", "h5")
    tool: ClassVar[Tool] = Tool("keras", "keras", "train")

    @classmethod
    def objection(cls, facts: ModelFacts, numeric: Numeric) -> str:
        """Refuse layers that have no twin in the other Keras."""
        del numeric
        said = without_twin(facts.operators)
        return f"Its layer {said} has no Keras 3 twin." if said else ""

    def write(
        self,
        source: Source,
        settings: ConvertSettings,  # noqa: ARG002 - the face of all converters
        target: Path,
        representative: Representative,  # noqa: ARG002
    ) -> dict[str, Any]:
        """Rebuild the model layer by layer and save it.

        Raises:
            BadInputError: A layer has no Keras 3 twin; it is named.
            WorkspaceError: The disk refused it.
        """
        save_undated(keras3_of(source.graph.model), target)
        return {"engine": engine("keras")}
