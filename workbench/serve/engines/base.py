"""What all engines have in common: named arrays in, named arrays out, by signature."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError, WorkbenchError
from workbench.core.plugins import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np

    from workbench.serve.signature import Signature

    Array = np.ndarray[Any, Any]

_LONGEST_REASON = 200


@dataclass(frozen=True)
class ModelFile:
    """A model file that was checked as far as its folder allows.

    Attributes:
        path: The file, or the directory of a SavedModel.
        format: Which engine opens it.
        trusted: Somebody vouches for the code in it: this workspace made it, or a person said so.
    """

    path: Path
    format: str
    trusted: bool = False


class Engine(ABC):
    """A loaded model; `run` may be called from many threads at once.

    Strings are arrays of `bytes` objects, whatever the framework behind makes of them.

    Attributes:
        signatures: How it can be called, by name; `serving_default` is what is called where no name is given.
        platform: What the Open Inference Protocol calls its format, as Triton does where it has a word.
        warm_ups: Requests that were recorded to be run before it answers: a signature's name and its feeds.
    """

    signatures: Mapping[str, Signature]
    platform: str = ""
    warm_ups: Sequence[tuple[str, Mapping[str, Array]]] = ()

    @abstractmethod
    def __init__(self, model: ModelFile, threads: int) -> None:
        """Open a model.

        Args:
            model: The file.
            threads: Threads that one run may use.
        """

    @abstractmethod
    def run(self, signature: str, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Answer one batch: an array for each input of a signature gives one for each of its outputs.

        Args:
            signature: A key of `signatures`.
            feeds: Arrays of the signature's types and shapes.

        Raises:
            BadInputError: The model cannot answer these arrays, which the signature alone could not tell.
        """

    def close(self) -> None:  # noqa: B027 - not every engine has something to let go of
        """Free the model."""


engines: Registry[Engine] = Registry(
    "engines",
    "workbench.serve.engines",
    Engine,  # type: ignore[type-abstract]
)


def open_file(model: ModelFile, threads: int) -> Engine:
    """Open a model in the engine of its format, whose own errors become ours.

    Raises:
        BadInputError: No engine answers for the format, or it cannot read the file.
        UntrustedModelError: It can run code, and nobody vouches for it.
    """
    unit = engines.get(model.format)
    try:
        return unit(model, threads)
    except (WorkbenchError, ImportError, MemoryError):
        raise
    except Exception as error:
        # Engines raise their own kinds (protobuf, ValueError, RuntimeError, …) for a file they cannot read.
        reason = " ".join(str(error).replace(str(model.path), model.path.name).split())[:_LONGEST_REASON]
        raise BadInputError.of(
            model.path.name,
            rule=f"must be a model that the {model.format} engine can open",
            got=reason or type(error).__name__,
        ) from error
