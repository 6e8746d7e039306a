"""TFLite: float32, or int8 throughout with ranges measured on training samples."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.convert.base import Converter

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from workbench.convert.settings import ConvertSettings
    from workbench.convert.source import Source
    from workbench.core.artifact import Numeric


class TfliteConverter(Converter):
    """Writes a flatbuffer; the int8 one takes and gives int8, whose scale and zero point the runtime hides."""

    file: ClassVar[str] = "model.tflite"
    numerics: ClassVar[tuple[Numeric, ...]] = ("float32", "int8")
    calibrated: ClassVar[tuple[Numeric, ...]] = ("int8",)

    def write(
        self,
        source: Source,
        settings: ConvertSettings,
        target: Path,
        representative: Iterator[NDArray[np.float32]],
    ) -> None:
        """Convert by way of a SavedModel, which keeps the signature's names in the file."""
        import tensorflow as tf

        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".saved-model-") as folder:
            exported = source.artifact.path
            if source.artifact.format != "saved_model":
                exported = Path(folder) / "model"
                source.export(exported)
            converter = tf.lite.TFLiteConverter.from_saved_model(str(exported))
            if settings.numeric == "int8":
                _quantise(converter, representative)
            target.write_bytes(converter.convert())


def _quantise(converter: Any, representative: Iterator[NDArray[np.float32]]) -> None:
    import tensorflow as tf

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([sample] for sample in representative)
    # Nothing but int8 operators: a model that cannot be quantised whole fails here instead of staying float in parts.
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
