"""ONNX: exported from TensorFlow's graph or PyTorch's, quantised by ONNX Runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from workbench.convert import onnx_exporters, onnx_quantizer, torch_export
from workbench.convert.base import Converter, Tool, engine
from workbench.convert.source import LAYERED
from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.convert.facts import ModelFacts
    from workbench.convert.representative import Representative
    from workbench.convert.settings import ConvertSettings
    from workbench.convert.source import Source
    from workbench.core.artifact import Format, Numeric

_TF2ONNX = Tool(
    "tf2onnx", "tf2onnx", "train",
    "Its Keras entry point does not know the models of Keras 3 (tf2onnx #2319, #2348), so it is given the traced "
    "function.",
)  # fmt: skip
_KERAS = Tool(
    "keras", "keras", "train",
    "Its export calls tf2onnx as well, and leaves operators in that ONNX has not, such as GELU's Erfc.",
)  # fmt: skip
_QUANTIZER = Tool("ONNX Runtime quantizer", onnx_quantizer.PACKAGE)
# Which version of the operator set has a scale for each channel.
_CHANNELS_SINCE = 13


class OnnxConverter(Converter):
    """Writes an `.onnx` file with a free batch axis.

    float16 and dynamic take and give float32; int8 is static, with quantize and dequantize nodes around each operator
    (QDQ) and ranges measured on training samples. ONNX Runtime is slow at dynamic convolutions: those save bytes only.
    """

    file: ClassVar[str] = "model.onnx"
    numerics: ClassVar[tuple[Numeric, ...]] = ("float32", *onnx_quantizer.NUMERICS)
    sources: ClassVar[tuple[Format, ...]] = (*LAYERED, "saved_model", "torch", "onnx")
    calibrated: ClassVar[tuple[Numeric, ...]] = ("int8",)
    instead: ClassVar[Format | None] = "tflite"

    @classmethod
    def tools(cls, source: Format, numeric: Numeric) -> tuple[Tool, ...]:
        """Return the exporters of the source's format, or ONNX Runtime's quantizer where it is ONNX already."""
        del numeric
        if source == "onnx":
            return (_QUANTIZER,)
        if source == "torch":
            return torch_export.TOOLS
        return (_TF2ONNX, _KERAS) if source == "keras" else (_TF2ONNX,)

    @classmethod
    def objection(cls, facts: ModelFacts, numeric: Numeric) -> str:
        """Refuse what was trained for another engine's quantization."""
        del numeric
        return "It was trained for int8 of TFLite, and ONNX has no place for that." if facts.quantization_aware else ""

    def write(
        self, source: Source, settings: ConvertSettings, target: Path, representative: Representative
    ) -> dict[str, Any]:
        """Export, or take the source's graph; quantise; check the graph; write.

        Raises:
            BadInputError: The source was trained for another engine's quantization, or the operator set is too old.
        """
        import onnx

        if source.quantization_aware:
            raise BadInputError.of(
                "artifact", rule="must be a float model to become onnx; this one was trained for int8 of TFLite",
                got=source.artifact.name, hint="convert it to tflite/int8, or the model that it was trained from",
            )  # fmt: skip
        if settings.numeric == "int8" and settings.opset < _CHANNELS_SINCE:
            raise BadInputError.of("opset", rule=f"must be at least {_CHANNELS_SINCE} for int8", got=settings.opset)
        model, package, notes = _floats(source, settings)
        if settings.numeric != "float32":
            model, package = onnx_quantizer.quantised(model, settings, representative), onnx_quantizer.PACKAGE
        onnx.checker.check_model(model, full_check=True)
        target.write_bytes(model.SerializeToString())
        return {"engine": engine(package), "notes": notes}


def _floats(source: Source, settings: ConvertSettings) -> tuple[Any, str, list[str]]:
    """Return the float32 model, the package that wrote it, and what there is to note."""
    import onnx

    if source.artifact.format == "torch":
        model, notes = torch_export.exported(source.artifact, settings)
        return model, "torch", notes
    if not source.in_tensorflow:
        return onnx.load(source.artifact.path), "onnx", []
    if settings.tool == _KERAS.name:
        return onnx_exporters.by_keras(source.graph, settings.opset), _KERAS.package, []
    return onnx_exporters.by_tf2onnx(source.graph, settings.opset), _TF2ONNX.package, []
