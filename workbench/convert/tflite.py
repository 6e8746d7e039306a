"""TFLite at any numeric type: LiteRT's quantizer where it works, TensorFlow's converter otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from workbench.convert import lite_converter, litert
from workbench.convert.base import Converter, Tool, engine
from workbench.convert.lite_converter import Flatbuffer
from workbench.convert.source import LAYERED
from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.convert.facts import ModelFacts
    from workbench.convert.representative import Representative
    from workbench.convert.settings import ConvertSettings
    from workbench.convert.source import Source
    from workbench.core.artifact import Format, Numeric

_QUANTIZER = Tool("LiteRT quantizer", litert.PACKAGE)
_CONVERTER = Tool(
    "TFLiteConverter", lite_converter.PACKAGE, "train",
    "Its Keras entry point fails for Keras 3 (`_get_save_spec`, tensorflow #63867), so it is given the traced "
    "function; its int8 crashes on loops over time steps, which are refused before.",
)  # fmt: skip
# TFLite has an operator for what tf_keras calls so; of Keras 3 it becomes a loop.
_LSTM = {"tf_keras": "LSTM", "h5": "LSTM", "tflite": "UNIDIRECTIONAL_SEQUENCE_LSTM"}


class TfliteConverter(Converter):
    """Writes a flatbuffer.

    float16 and dynamic keep float activations; int8 and int16x8 calculate in integers throughout, with ranges measured
    on training samples or learnt in quantization-aware training; int4 stores the weights in four bits. int16x8 has no
    fast kernels in LiteRT: it is for accuracy, not speed. A recurrent layer fixes the batch at one sample.
    """

    file: ClassVar[str] = "model.tflite"
    numerics: ClassVar[tuple[Numeric, ...]] = ("float32", *litert.NUMERICS)
    sources: ClassVar[tuple[Format, ...]] = (*LAYERED, "saved_model", "tflite")
    calibrated: ClassVar[tuple[Numeric, ...]] = ("int8", "int16x8")
    instead: ClassVar[Format | None] = "onnx"

    @classmethod
    def tools(cls, source: Format, numeric: Numeric) -> tuple[Tool, ...]:
        """Return LiteRT's quantizer where weights are quantised, and TensorFlow's converter, which also can."""
        if source == "tflite":
            return (_QUANTIZER,)
        if numeric == "float32":
            return (_CONVERTER,)
        return (_QUANTIZER, _CONVERTER) if numeric in lite_converter.NUMERICS else (_QUANTIZER,)

    def tools_for(self, source: Source, settings: ConvertSettings) -> tuple[Tool, ...]:
        """Return TensorFlow's converter alone for what only it can do: unsigned integers, and ranges that were learnt.

        Raises:
            BadInputError: No program can.
        """
        if source.quantization_aware:
            if settings.numeric != "int8":
                raise BadInputError.of(
                    "numeric", rule="must be int8 for a model of quantization-aware training, whose ranges are for "
                    "that type", got=settings.numeric, hint="convert the model that it was trained from",
                )  # fmt: skip
            return (_CONVERTER,)
        if settings.io == "uint8" and settings.numeric == "int8":
            if not source.in_tensorflow:
                raise BadInputError.of(
                    "io", rule="must be int8 or float32 where a .tflite file is quantised", got=settings.io,
                    hint="convert the model that it was made from",
                )  # fmt: skip
            return (_CONVERTER,)
        return self.tools(source.artifact.format, settings.numeric)

    @classmethod
    def objection(cls, facts: ModelFacts, numeric: Numeric) -> str:
        """Refuse numeric types that a model was not trained for, and integers for loops over time steps."""
        if facts.quantization_aware and numeric != "int8":
            return "It was trained for int8, whose ranges it holds."
        return _objection_to_loops(facts, numeric) if numeric in cls.calibrated else ""

    def write(
        self, source: Source, settings: ConvertSettings, target: Path, representative: Representative
    ) -> dict[str, Any]:
        """Make the float32 file, or take the source's, and quantise it.

        Raises:
            BadInputError: This numeric type does not exist for a model such as the source.
        """
        if settings.numeric == "float32" or settings.tool == _CONVERTER.name:
            made = _by_tensorflow(source, settings, representative)
            facts = {"engine": engine(lite_converter.PACKAGE)}
        else:
            made = _by_litert(source, settings, representative)
            facts = {"engine": engine(litert.PACKAGE)}
        target.write_bytes(made.content)
        return {**facts, "notes": list(made.notes)}


def _objection_to_loops(facts: ModelFacts, numeric: Numeric) -> str:
    for name, operator in facts.loops:
        if operator == _LSTM.get(facts.format):
            if numeric == "int16x8":
                return f"It has an LSTM ({name}), for which LiteRT has no 16-bit activations; int8 it has."
            continue
        return (
            f"It loops over time steps ({name}, {operator}), and TFLite has no integers for a loop; take dynamic or "
            "onnx/int8, or build recurrent layers with unroll=True."
        )
    return ""


def _by_tensorflow(source: Source, settings: ConvertSettings, representative: Representative) -> Flatbuffer:
    if settings.numeric == "float32":
        return lite_converter.converted(source)
    made = lite_converter.quantised(source, settings, representative)
    note = "Ranges and scales are those of the quantization-aware training; no representative dataset was used."
    return made._replace(notes=(*made.notes, note)) if source.quantization_aware else made


def _by_litert(source: Source, settings: ConvertSettings, representative: Representative) -> Flatbuffer:
    plain = lite_converter.converted(source) if source.in_tensorflow else Flatbuffer(source.artifact.path.read_bytes())
    lite_converter.require_no_loop(plain.content, settings)
    made = litert.quantised(plain.content, settings, representative)
    notes = plain.notes
    if settings.numeric in ("dynamic", "int4") and len(made) >= len(plain.content):
        notes = (*notes, f"No kernel has {litert.LEAST_WEIGHTS} weights or more, so all of them stay float32.")
    return plain._replace(content=made, notes=notes)
