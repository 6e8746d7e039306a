"""SavedModel, as TensorFlow Serving loads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from workbench.convert.base import Converter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

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
        representative: Iterator[NDArray[np.float32]],  # noqa: ARG002
    ) -> None:
        """Write variables and graph, without optimizer and without Keras' own description."""
        source.export(target)
