"""ONNX through tf2onnx, from the traced function: its Keras entry point does not know Keras 3 models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from workbench.convert import onnx_quantizer
from workbench.convert.base import Converter, Tool, engine
from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.convert.facts import ModelFacts
    from workbench.convert.representative import Representative
    from workbench.convert.settings import ConvertSettings
    from workbench.convert.source import Source
    from workbench.core.artifact import Format, Numeric

_BATCH = "batch"
_TF2ONNX = Tool("tf2onnx", "tf2onnx", "train")
_QUANTIZER = Tool("ONNX Runtime quantizer", onnx_quantizer.PACKAGE)


class OnnxConverter(Converter):
    """Writes an `.onnx` file with a free batch axis.

    float16 and dynamic take and give float32; int8 is static, with quantize and dequantize nodes around each operator
    (QDQ) and ranges measured on training samples. ONNX Runtime is slow at dynamic convolutions: those save bytes only.
    """

    file: ClassVar[str] = "model.onnx"
    numerics: ClassVar[tuple[Numeric, ...]] = ("float32", *onnx_quantizer.NUMERICS)
    sources: ClassVar[tuple[Format, ...]] = ("tf_keras", "saved_model", "onnx")
    calibrated: ClassVar[tuple[Numeric, ...]] = ("int8",)

    @classmethod
    def tools(cls, source: Format, numeric: Numeric) -> tuple[Tool, ...]:
        """Return tf2onnx, or ONNX Runtime's quantizer where the source is ONNX already."""
        del numeric
        return (_QUANTIZER if source == "onnx" else _TF2ONNX,)

    @classmethod
    def objection(cls, facts: ModelFacts, numeric: Numeric) -> str:
        """Refuse what was trained for another engine's quantization."""
        del numeric
        return "It was trained for int8 of TFLite, and ONNX has no place for that." if facts.quantization_aware else ""

    def write(
        self, source: Source, settings: ConvertSettings, target: Path, representative: Representative
    ) -> dict[str, Any]:
        """Convert, name the batch axis, or take the source's graph; quantise; check the graph; write.

        Raises:
            BadInputError: The source was trained for another engine's quantization.
        """
        import onnx

        if source.quantization_aware:
            raise BadInputError.of(
                "artifact", rule="must be a float model to become onnx; this one was trained for int8 of TFLite",
                got=source.artifact.name, hint="convert it to tflite/int8, or the model that it was trained from",
            )  # fmt: skip
        model = _traced(source, settings) if source.in_tensorflow else onnx.load(source.artifact.path)
        facts = {"engine": engine("tf2onnx")}
        if settings.numeric != "float32":
            model = onnx_quantizer.quantised(model, settings, representative)
            facts = {"engine": engine(onnx_quantizer.PACKAGE)}
        onnx.checker.check_model(model, full_check=True)
        target.write_bytes(model.SerializeToString())
        return facts


def _traced(source: Source, settings: ConvertSettings) -> Any:
    import tf2onnx

    graph = source.graph
    model, _ = tf2onnx.convert.from_function(graph.function, input_signature=[graph.signature], opset=settings.opset)
    for value in (*model.graph.input, *model.graph.output):
        _free_batch(value)
    return model


def _free_batch(value: Any) -> None:
    # tf2onnx numbers free axes (`unk__29`): one name says that input and output share theirs.
    axes = value.type.tensor_type.shape.dim
    if axes and not axes[0].dim_value:
        axes[0].dim_param = _BATCH
