"""ONNX through tf2onnx, from the traced function: its Keras entry point does not know Keras 3 models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from workbench.convert.base import Converter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from workbench.convert.settings import ConvertSettings
    from workbench.convert.source import Source

_BATCH = "batch"


class OnnxConverter(Converter):
    """Writes an `.onnx` file with a free batch axis."""

    file: ClassVar[str] = "model.onnx"

    def write(
        self,
        source: Source,
        settings: ConvertSettings,
        target: Path,
        representative: Iterator[NDArray[np.float32]],  # noqa: ARG002 - the face of all converters
    ) -> None:
        """Convert, name the batch axis, check the graph, write."""
        import onnx
        import tf2onnx

        model, _ = tf2onnx.convert.from_function(
            source.function, input_signature=[source.signature], opset=settings.opset
        )
        for value in (*model.graph.input, *model.graph.output):
            _free_batch(value)
        onnx.checker.check_model(model, full_check=True)
        target.write_bytes(model.SerializeToString())


def _free_batch(value: Any) -> None:
    # tf2onnx numbers free axes (`unk__29`): one name says that input and output share theirs.
    axes = value.type.tensor_type.shape.dim
    if axes and not axes[0].dim_value:
        axes[0].dim_param = _BATCH
