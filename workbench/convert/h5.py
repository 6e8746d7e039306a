"""Legacy HDF5: one `.h5` file, as Keras wrote models before its version 3."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.convert.base import Converter, Tool, engine
from workbench.convert.keras3 import twin_of
from workbench.convert.keras_layers import without_twin

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.convert.facts import ModelFacts
    from workbench.convert.representative import Representative
    from workbench.convert.settings import ConvertSettings
    from workbench.convert.source import Source
    from workbench.core.artifact import Format, Numeric


class H5Converter(Converter):
    """Writes an `.h5` file without optimizer state, for programs that read nothing newer."""

    file: ClassVar[str] = "model.h5"
    sources: ClassVar[tuple[Format, ...]] = ("tf_keras", "keras")
    tool: ClassVar[Tool] = Tool("tf_keras", "tf_keras", "train")

    @classmethod
    def objection(cls, facts: ModelFacts, numeric: Numeric) -> str:
        """Refuse layers that have no twin in the other Keras."""
        del numeric
        said = without_twin(facts.operators) if facts.format == "keras" else ""
        return f"Its layer {said} has no tf_keras twin." if said else ""

    def write(
        self,
        source: Source,
        settings: ConvertSettings,  # noqa: ARG002 - the face of all converters
        target: Path,
        representative: Representative,  # noqa: ARG002
    ) -> dict[str, Any]:
        """Have tf_keras save the model, or the twin of a Keras 3 one.

        Raises:
            BadInputError: A layer has no tf_keras twin; it is named.
        """
        model = source.graph.model
        twin = twin_of(model) if source.artifact.format == "keras" else model
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the format is old is why it was asked for
            twin.save(target, save_format="h5", include_optimizer=False)
        return {"engine": engine("tf_keras")}
