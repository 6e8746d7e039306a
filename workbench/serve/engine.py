"""What answers behind a servable: named arrays in, named arrays out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Protocol

from workbench.core.errors import WorkbenchError
from workbench.serve.signature import DEFAULT, Signature, Tensor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np

    from workbench.evaluate.runtimes.base import Runtime

    Array = np.ndarray[Any, Any]


class Engine(Protocol):
    """A loaded model; `run` may be called from many threads at once.

    Attributes:
        signatures: How it can be called, by name; `serving_default` is what is called where no name is given.
    """

    signatures: Mapping[str, Signature]

    def run(self, signature: str, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Answer one batch: an array for each input of a signature gives one for each of its outputs."""

    def close(self) -> None:
        """Free the model."""


class RuntimeEngine:
    """An artifact in the runtime of its format."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        inputs = tuple(Tensor(spec.name, spec.dtype, spec.shape) for spec in runtime.inputs)
        # Whatever the file stores, a runtime answers in float32.
        outputs = tuple(Tensor(spec.name, "float32", spec.shape) for spec in runtime.outputs)
        self.signatures: Mapping[str, Signature] = {DEFAULT: Signature(inputs, outputs)}

    def run(self, signature: str, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Answer one batch."""
        one = self.signatures[signature]
        return {one.outputs[0].name: self._runtime.predict(feeds[one.inputs[0].name])}

    def close(self) -> None:
        """Free the model."""
        self._runtime.close()


def open_engine(folder: Path, threads: int) -> Engine:
    """Open a version folder of the store, after its file was checked against its manifest.

    Raises:
        WorkspaceError: The file is missing, truncated or changed.
        BadInputError: The folder has no manifest, or the file is no model.
    """
    from workbench.core.artifact import Artifact
    from workbench.evaluate.runtimes import open_runtime

    try:
        return RuntimeEngine(open_runtime(Artifact.load(folder), threads=threads))
    except WorkbenchError as error:
        # The message is shown to clients, whom the server's paths do not concern.
        raise type(error)(str(error).replace(f"{folder}{os.sep}", "").replace(str(folder), folder.name)) from error
