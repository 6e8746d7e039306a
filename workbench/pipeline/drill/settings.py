"""How a drill goes."""

from __future__ import annotations

from pydantic import Field

from workbench.core.settings import Settings


class DrillSettings(Settings):
    """Clients, and how long one waits for what must come."""

    dataset: str = Field("digits", description="what the model is trained on and asked")
    rate: float = Field(100.0, gt=0, le=2000, description="requests a second of all ordinary clients")
    quiet_seconds: float = Field(3.0, ge=0.5, le=600, description="time before the fault, to know what is usual")
    notice_seconds: float = Field(30.0, gt=0, le=3600, description="longest wait for the alarm")
    restore_seconds: float = Field(300.0, gt=0, le=3600, description="longest wait until clients are served as before")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="of the training")
