"""TFLite at any numeric type: LiteRT's quantizer where it works, TensorFlow's converter otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from workbench.convert import lite_converter, litert
from workbench.convert.base import Converter, Tool, engine
from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.convert.facts import ModelFacts
    from workbench.convert.representative import Representative
    from workbench.convert.settings import ConvertSettings
    from workbench.convert.source import Source
    from workbench.core.artifact import Format, Numeric

_LONGEST_REASON = 200
_QUANTIZER = Tool("LiteRT quantizer", litert.PACKAGE)
_CONVERTER = Tool("TFLiteConverter", lite_converter.PACKAGE, "train")


class TfliteConverter(Converter):
    """Writes a flatbuffer.

    float16 and dynamic keep float activations; int8 and int16x8 calculate in integers throughout, with ranges measured
    on training samples or learnt in quantization-aware training; int4 stores the weights in four bits. int16x8 has no
    fast kernels in LiteRT: it is for accuracy, not speed.
    """

    file: ClassVar[str] = "model.tflite"
    numerics: ClassVar[tuple[Numeric, ...]] = ("float32", *litert.NUMERICS)
    sources: ClassVar[tuple[Format, ...]] = ("tf_keras", "saved_model", "tflite")
    calibrated: ClassVar[tuple[Numeric, ...]] = ("int8", "int16x8")

    @classmethod
    def tools(cls, source: Format, numeric: Numeric) -> tuple[Tool, ...]:
        """Return LiteRT's quantizer where weights are quantised, and TensorFlow's converter, which also can."""
        if source == "tflite":
            return (_QUANTIZER,)
        if numeric == "float32":
            return (_CONVERTER,)
        return (_QUANTIZER, _CONVERTER) if numeric in lite_converter.NUMERICS else (_QUANTIZER,)

    @classmethod
    def objection(cls, facts: ModelFacts, numeric: Numeric) -> str:
        """Refuse numeric types that a model was not trained for."""
        if facts.quantization_aware and numeric != "int8":
            return "It was trained for int8, whose ranges it holds."
        return ""

    def write(
        self, source: Source, settings: ConvertSettings, target: Path, representative: Representative
    ) -> dict[str, Any]:
        """Make the float32 file, or take the source's, and quantise it.

        Raises:
            BadInputError: This engine cannot make it of this source.
        """
        if source.quantization_aware:
            return _trained_for_it(source, settings, target, representative)
        if settings.io == "uint8" and settings.numeric == "int8":
            return _by_tensorflow(source, settings, target, representative)
        content = lite_converter.converted(source) if source.in_tensorflow else source.artifact.path.read_bytes()
        if settings.numeric == "float32":
            target.write_bytes(content)
            return {"engine": engine(lite_converter.PACKAGE)}
        try:
            made = litert.quantised(content, settings, representative)
        except BadInputError:
            raise
        except Exception as error:
            if not source.in_tensorflow or settings.numeric not in lite_converter.NUMERICS:
                raise
            reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
            note = f"TensorFlow's converter was used, since LiteRT's quantizer could not: {reason}"
            return {**_by_tensorflow(source, settings, target, representative), "notes": [note]}
        target.write_bytes(made)
        notes = []
        if settings.numeric in ("dynamic", "int4") and len(made) >= len(content):
            notes.append(f"No kernel has {litert.LEAST_WEIGHTS} weights or more, so all of them stay float32.")
        return {"engine": engine(litert.PACKAGE), "notes": notes}


def _by_tensorflow(
    source: Source, settings: ConvertSettings, target: Path, representative: Representative
) -> dict[str, Any]:
    if not source.in_tensorflow:
        raise BadInputError.of(
            "io", rule="must be int8 or float32 where a .tflite file is quantised", got=settings.io,
            hint="convert the model that it was made from",
        )  # fmt: skip
    target.write_bytes(lite_converter.quantised(source, settings, representative))
    return {"engine": engine(lite_converter.PACKAGE)}


def _trained_for_it(
    source: Source, settings: ConvertSettings, target: Path, representative: Representative
) -> dict[str, Any]:
    if settings.numeric != "int8":
        raise BadInputError.of(
            "numeric", rule="must be int8 for a model of quantization-aware training, whose ranges are for that type",
            got=settings.numeric, hint="convert the model that it was trained from",
        )  # fmt: skip
    note = "Ranges and scales are those of the quantization-aware training; no representative dataset was used."
    return {**_by_tensorflow(source, settings, target, representative), "notes": [note]}
