"""Post-training quantization: no training, only a conversion at another numeric type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from workbench.compress.base import Method
from workbench.convert.conversion import convert_here
from workbench.convert.settings import ConvertSettings

if TYPE_CHECKING:
    from workbench.core.artifact import Artifact
    from workbench.datasets import Dataset
    from workbench.jobs.stage import StageContext


class PostTrainingQuantization(Method):
    """Weights and activations become integers; ranges are measured on training samples."""

    numeric: Literal["int8"] = Field("int8", description="numeric type of weights and activations")
    representative_samples: int = Field(
        256, ge=8, le=10_000, description="training samples that ranges are measured on"
    )
    min_agreement: float = Field(
        0.99, ge=0, le=1, description="least share of test samples with the same label as before"
    )

    def apply(self, artifact: Artifact, data: Dataset, context: StageContext) -> Artifact:
        """Choose the settings of the conversion to TFLite and run it.

        Raises:
            BadInputError: The model cannot be quantised whole.
            ParityError: Too many labels changed.
        """
        settings = ConvertSettings(
            format="tflite",
            numeric=self.numeric,
            representative_samples=self.representative_samples,
            min_agreement=self.min_agreement,
        )
        return convert_here(artifact, settings, data, context, extra={"method": self.name})
