"""What can be set about a conversion, declared once."""

from __future__ import annotations

from pydantic import Field

from workbench.core.artifact import Format, Numeric  # noqa: TC001 - pydantic reads them
from workbench.core.settings import Settings
from workbench.evaluate.parity import Tolerance


class ConvertSettings(Settings):
    """One conversion."""

    format: Format = Field(description="file format of the result")
    numeric: Numeric = Field("float32", description="numeric type of the weights")
    opset: int = Field(17, ge=13, le=18, description="version of the ONNX operator set")
    representative_samples: int = Field(
        256, ge=8, le=10_000, description="training samples that int8 ranges are measured on"
    )
    parity_samples: int = Field(1000, ge=1, le=10_000, description="samples that outputs are compared on")
    max_abs: float | None = Field(
        None, gt=0, description="largest difference of any output; none: 1e-4 for float32, unlimited for int8"
    )
    min_agreement: float = Field(0.99, ge=0, le=1, description="least share of samples with the same label")

    @property
    def tolerance(self) -> Tolerance:
        """What the parity check allows."""
        default = Tolerance.default(self.numeric).max_abs
        return Tolerance(max_abs=self.max_abs or default, min_agreement=self.min_agreement)
