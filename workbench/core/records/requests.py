"""What a server noted of the requests that it answered."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from pydantic import Field

from workbench.core.records.base import Record


class LoggedRequest(Record):
    """One request for an inference.

    Attributes:
        id: What the client called it (`x-request-id`), else a name that no other has; labels that come later mean it.
        time: When it was answered, seconds since 1970.
        model: Model name.
        version: Version that answered.
        api: Door: `REST`, `GRPC` or `OIP`, with `SHADOW` for a copy that no client saw the answer of.
        key: Hash of the client's sticky key; empty where it sent none.
        seconds: From the request's arrival to its answer.
        run_seconds: Of them, waiting for a batch and inference.
        examples: Samples in it.
        code: `OK`, or why it failed, as gRPC names it.
        predictions: Best class of each sample, of at most 64; empty where the model gives no class scores.
        confidence: Its probability; None where a score was no number.
        margin: How far it is ahead of the second class.
        outputs: The first sample's scores, or the first values of the first output, at most 64.
        features: The sketch (`core.sketch.sketch`) of each sample, of at most 64; None stands for what is no number.
        inputs: The arrays themselves, `.npy` in base64 by name; only where the server was asked to keep them.
    """

    id: str
    time: float
    model: str
    version: int
    api: str = ""
    key: str = ""
    seconds: float
    run_seconds: float
    examples: int
    code: str = "OK"
    predictions: tuple[int, ...] = ()
    confidence: tuple[float | None, ...] = ()
    margin: tuple[float | None, ...] = ()
    outputs: tuple[float | None, ...] = ()
    features: tuple[tuple[float | None, ...], ...] = ()
    inputs: dict[str, str] = Field(default_factory=dict)

    def sketches(self) -> np.ndarray[Any, Any]:
        """Return the features as they were computed, to the bit: shape (samples, values), float32, NaN for None."""
        return np.array([*self.features], np.float32).reshape(len(self.features), -1)

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return the inputs that were kept, by name."""
        files = {name: io.BytesIO(base64.b64decode(text)) for name, text in self.inputs.items()}
        return {name: np.load(file, allow_pickle=False) for name, file in files.items()}
