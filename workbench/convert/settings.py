"""What can be set about a conversion, declared once."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from workbench.core.artifact import Format, Numeric  # noqa: TC001 - pydantic reads them
from workbench.core.settings import Settings
from workbench.evaluate.parity import Tolerance

Picker = Literal["spread", "stratified", "random"]
Calibration = Literal["minmax", "entropy", "percentile"]
InputOutput = Literal["int8", "uint8", "float32"]

# Sixteen levels a weight move more labels than two hundred and fifty-six do, most of them between classes that the
# source itself can hardly tell apart; what that costs in accuracy is the gate's question.
_LEAST_AGREEMENT = {"int4": 0.9}
_USUAL_AGREEMENT = 0.99
_LIMITS = ("time_limit", "memory_limit")


class ConvertSettings(Settings):
    """One conversion."""

    format: Format = Field(description="file format of the result")
    numeric: Numeric = Field("float32", description="numeric type of the weights")
    per_channel: bool = Field(
        default=True,
        description="one scale for each channel of a kernel; off: one a kernel, which is smaller and coarser",
    )
    io: InputOutput = Field("int8", description="what an int8 TFLite file takes and gives; the runtime hides it")
    calibration: Calibration = Field("minmax", description="how int8 ONNX ranges follow from what was seen")
    opset: int = Field(17, ge=9, le=26, description="version of the ONNX operator set; int8 needs 13")
    bytes_signature: bool = Field(
        default=False,
        description="a SavedModel has a second signature, `serving_bytes`, that takes PNG and JPEG files",
    )
    representative_samples: int = Field(
        256, ge=8, le=10_000, description="training samples that int8 ranges are measured on"
    )
    picker: Picker = Field("spread", description="which ones: evenly spaced, as many of each class, or by chance")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="seed of the picker `random`")
    tool: str | None = Field(
        None, description="which program does it where several can; none: the usual one; best: all, the better is kept"
    )
    time_limit: float = Field(600, gt=0, le=86_400, description="seconds after which the conversion is ended")
    memory_limit: float = Field(8, gt=0, le=4096, description="GiB of memory beyond which the conversion is ended")
    parity_samples: int = Field(1000, ge=1, le=10_000, description="samples that outputs are compared on")
    max_abs: float | None = Field(
        None, gt=0, description="largest difference of any output; none: 1e-4 for float32, unlimited for the others"
    )
    min_agreement: float | None = Field(
        None, ge=0, le=1, description="least share of samples with the same label; none: 0.99, for int4 0.9"
    )

    @property
    def limits(self) -> dict[str, float]:
        """What the job may use."""
        return {"seconds": self.time_limit, "memory_bytes": int(self.memory_limit * 2**30)}

    @property
    def question(self) -> dict[str, Any]:
        """What the result depends on, as plain JSON: the limits are no part of it."""
        return self.model_dump(mode="json", exclude=set(_LIMITS))

    @property
    def tolerance(self) -> Tolerance:
        """What the parity check allows."""
        least = self.min_agreement
        if least is None:
            least = _LEAST_AGREEMENT.get(self.numeric, _USUAL_AGREEMENT)
        return Tolerance(max_abs=self.max_abs or Tolerance.default(self.numeric).max_abs, min_agreement=least)
