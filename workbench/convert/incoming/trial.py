"""Open what is about to become an artifact in its runtime, and have it answer once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.core.artifact import Artifact, content_sha256
from workbench.core.errors import BadInputError, WorkbenchError
from workbench.core.workspace import Workspace
from workbench.evaluate.runtimes.base import open_runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from workbench.convert.incoming.base import Arrival
    from workbench.core.artifact import Format, Numeric
    from workbench.evaluate.runtimes.base import TensorSpec

    Specs = tuple[TensorSpec, ...]

_LONGEST_REASON = 300
_BATCH = 2
# What an open axis is tried with; a picture or a sequence of that length suits most models.
_OPEN_AXIS = 32


def answer_noise(arrival: Arrival, file: str, format: Format, numeric: Numeric) -> tuple[Specs, Specs]:  # noqa: A002
    """Return the inputs and outputs of a model in the arrival's target folder, after it answered a batch of noise.

    A model with open axes besides the batch may refuse the length that it is tried with; that is only noted.

    Args:
        arrival: Where it came from.
        file: What it is called in the target folder.
        format: What it is.
        numeric: Numeric type of its weights.

    Raises:
        BadInputError: Its runtime cannot open it, or it does not answer.
    """
    draft = Artifact(
        folder=arrival.target.absolute(),
        name=arrival.path.stem,
        format=format,
        numeric=numeric,
        file=file,
        sha256=content_sha256(arrival.target / file),
    )
    if arrival.trust:
        # Who vouched for the file vouched for what was made of it.
        Workspace.default().trust(draft.sha256)
    try:
        with open_runtime(draft) as runtime:
            _ask(arrival, runtime.inputs[0], runtime.predict)
            return runtime.inputs, runtime.outputs
    except BadInputError as error:
        # The runtime tells of the file in the target folder, which nobody knows of yet.
        raise BadInputError(str(error).replace(file, str(arrival.path), 1)) from error


def noise_for(spec: TensorSpec, samples: int = _BATCH) -> NDArray[np.float32]:
    """Return noise in [0, 1) for an input, so many samples unless its batch is fixed; open axes get a length."""
    batch, *axes = spec.shape or (-1,)
    shape = (batch if batch > 0 else samples, *(axis if axis > 0 else _OPEN_AXIS for axis in axes))
    return np.random.default_rng(0).random(shape, dtype=np.float32)


def _ask(arrival: Arrival, spec: TensorSpec, predict: Callable[[NDArray[np.float32]], object]) -> None:
    try:
        predict(noise_for(spec))
    except WorkbenchError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
        if -1 in spec.shape[1:]:
            arrival.note(f"It was not tried out, for its input {spec.name} has open axes ({reason}).")
            return
        raise BadInputError.of(str(arrival.path), rule="must answer a batch of noise", got=reason) from error
