"""Post-training quantization: no training, only a conversion at another numeric type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from workbench.compress.base import Method
from workbench.convert.base import converters
from workbench.convert.conversion import convert_here
from workbench.convert.settings import Calibration, ConvertSettings, InputOutput, Picker
from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from workbench.core.artifact import Artifact
    from workbench.datasets import Dataset
    from workbench.jobs.stage import StageContext


class PostTrainingQuantization(Method):
    """Weights, or weights and activations, become smaller numbers; ranges are measured on training samples."""

    format: Literal["tflite", "onnx"] = Field("tflite", description="file format of the result")
    numeric: Literal["float32", "float16", "dynamic", "int8", "int16x8", "int4"] = Field(
        "int8", description="numeric type of the weights"
    )
    per_channel: bool = Field(
        default=True,
        description="one scale for each channel of a kernel; off: one a kernel, which is smaller and coarser",
    )
    io: InputOutput = Field("int8", description="what an int8 TFLite file takes and gives; the runtime hides it")
    calibration: Calibration = Field("minmax", description="how int8 ONNX ranges follow from what was seen")
    representative_samples: int = Field(
        256, ge=8, le=10_000, description="training samples that ranges are measured on"
    )
    picker: Picker = Field("spread", description="which ones: evenly spaced, as many of each class, or by chance")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="seed of the picker `random`")
    min_agreement: float | None = Field(
        None, ge=0, le=1, description="least share of test samples with the same label; none: 0.99, for int4 0.9"
    )

    @model_validator(mode="after")
    def _exists(self) -> Self:
        known = converters.get(self.format).numerics
        if self.numeric not in known:
            raise BadInputError.of(
                "numeric", rule=f"must be one of {', '.join(known)} for {self.format}", got=self.numeric,
                hint="choose format='tflite' for the others",
            )  # fmt: skip
        if self.format == "onnx" and self.io != "int8":
            raise BadInputError.of(
                "io", rule="must be left alone for onnx, which always takes and gives float32", got=self.io
            )
        if self.calibration != "minmax" and self._label != "onnx/int8":
            raise BadInputError.of(
                "calibration", rule="must be minmax for anything but onnx/int8",
                got=f"{self.calibration} for {self._label}",
            )  # fmt: skip
        return self

    @property
    def _label(self) -> str:
        return f"{self.format}/{self.numeric}"

    def apply(self, artifact: Artifact, data: Dataset, context: StageContext) -> Artifact:
        """Choose the settings of the conversion and run it.

        Raises:
            BadInputError: The model cannot be quantised in this way.
            ParityError: Too many labels changed.
        """
        settings = ConvertSettings(**self.model_dump())
        return convert_here(artifact, settings, data, context, extra={"method": self.name})
