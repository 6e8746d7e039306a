"""SavedModel, as TensorFlow Serving loads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from workbench.convert.base import Converter, engine

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.convert.representative import Representative
    from workbench.convert.settings import ConvertSettings
    from workbench.convert.source import Source
    from workbench.core.artifact import Format


class SavedModelConverter(Converter):
    """Writes a directory with the signature `serving_default`: `image` (batch free) to `probabilities`."""

    file: ClassVar[str] = "saved_model"
    sources: ClassVar[tuple[Format, ...]] = ("tf_keras",)

    def write(
        self,
        source: Source,
        settings: ConvertSettings,  # noqa: ARG002 - the face of all converters
        target: Path,
        representative: Representative,  # noqa: ARG002
    ) -> dict[str, Any]:
        """Write variables and graph, without optimizer and without Keras' own description."""
        source.export(target)
        return {"engine": engine("tensorflow")}
