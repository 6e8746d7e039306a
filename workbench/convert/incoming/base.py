"""What all kinds of models that are brought in have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from workbench.core.errors import BadInputError, UntrustedModelError
from workbench.core.plugins import Registry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.core.artifact import Format, Numeric
    from workbench.evaluate.runtimes.base import TensorSpec

Layout = Literal["channels_last", "keep"]
CHANNELS_LAST: Layout = "channels_last"
KEEP: Layout = "keep"
START = 64
# Pickle protocols 2 to 5 start so; older ones are text, which is no model file anyway.
_PICKLES = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))


@dataclass(frozen=True)
class Arrival:
    """A model on its way in, inside the job that reads it.

    Attributes:
        path: A copy that nobody else can change: a file with the kind's ending, or a directory.
        target: Folder of the artifact that is to be made.
        trust: A person vouched for the code that may be in it.
        signature: Name of the SavedModel signature that is asked for; None is the usual one.
        note: Tells the person who waits a sentence.
        layout: Whether images with channels first are taken with channels last, as data here is, or stay.
    """

    path: Path
    target: Path
    trust: bool
    signature: str | None
    note: Callable[[str], None]
    layout: Layout = CHANNELS_LAST


@dataclass(frozen=True)
class Brought:
    """What was made of it in the target folder.

    Attributes:
        file: Name of the model file or directory.
        format: What it is.
        numeric: Numeric type of its weights.
        inputs: What callers give.
        outputs: What callers get.
        lost: What the file had that the artifact has not, e.g. `optimizer state`; nothing it never had.
        settings: More facts on where it came from, for the manifest's settings.
        metrics: More facts that were measured, for the manifest's metrics.
    """

    file: str
    format: Format
    numeric: Numeric
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    lost: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)


class Incoming(ABC):
    """One kind of model as people have it; the unit's name is the kind's.

    Attributes:
        described: What it is called in a sentence, e.g. `a .tflite file`.
        ending: What its copy's name must end in for the library that opens it; nothing for a directory.
        of_the_caller: What `save` writes is code of the process that has the live object, so that it is trusted.
    """

    described: ClassVar[str]
    ending: ClassVar[str]
    of_the_caller: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def matches(cls, path: Path, start: bytes) -> bool:
        """Say whether a file or directory is of this kind, damaged ones too; runs in the kernel, so it parses little.

        Args:
            path: It exists.
            start: Its first bytes; none of a directory.
        """

    @classmethod
    def companions(cls, path: Path) -> tuple[str, ...]:
        """Return the other files that belong to a file, as paths below its folder; runs in the kernel.

        Raises:
            BadInputError: They are asked for outside of the folder, or are not there.
        """
        del path
        return ()

    @classmethod
    def takes(cls, model: Any) -> bool:
        """Say whether a live object is of this kind; imports nothing, for a live object's library is imported."""
        del model
        return False

    @classmethod
    def save(cls, model: Any, folder: Path, example: Any = None) -> Path:
        """Write a live object to a folder and return its file; runs in the process that has it.

        Args:
            model: What `takes` said yes to.
            folder: Nobody else can read it.
            example: Input array of one batch, for kinds that must see one.

        Raises:
            BadInputError: It cannot be saved.
        """
        raise NotImplementedError

    def examine(self, arrival: Arrival) -> Any:
        """Read it as far as the parsers that are not ours, and return what `bring_in` goes on with; writes nothing.

        Damaged files end here: with one sentence, or with the process, where such a parser crashes.

        Raises:
            BadInputError: It is damaged, or not what can be used here.
            UntrustedModelError: It would run code of its own and nobody vouched for it.
        """
        raise NotImplementedError

    @abstractmethod
    def bring_in(self, arrival: Arrival) -> Brought:
        """Read it with all care, and leave in the target folder what the artifact is to hold; runs in a limited job.

        Raises:
            BadInputError: It is damaged, or not what can be used here; one sentence.
            UntrustedModelError: It would run code of its own and nobody vouched for it.
        """


incoming: Registry[Incoming] = Registry(
    "incoming_kinds",
    "workbench.convert.incoming",
    Incoming,  # type: ignore[type-abstract]
)


def kind_of(path: Path) -> type[Incoming]:
    """Tell the kind of a model from its content; its name plays no part.

    Raises:
        BadInputError: It is missing, empty, or something else.
        UntrustedModelError: It is a pickle.
    """
    start = b""
    try:
        if not path.is_dir() and not path.is_file():
            rule = "must be a file or a directory" if path.exists() else "must exist"
            raise BadInputError.of("path", rule=rule, got=str(path))
        if path.is_file():
            with path.open("rb") as file:
                start = file.read(START)
    except OSError as error:  # no permission, or a name that is too long
        got = f"{error.strerror}: {path}"
        raise BadInputError.of("path", rule="must be one that you may read", got=got) from error
    if not start and path.is_file():
        raise BadInputError.of("path", rule="must be a model file, not an empty one", got=str(path))
    for name in incoming.names():
        if (unit := incoming.get(name)).matches(path, start):
            return unit
    if start.startswith(_PICKLES):
        raise UntrustedModelError(
            f"{path} is a pickle, which runs code of its own when it is loaded; save the model as .keras instead."
        )
    got = f"{path} that starts with {start[:8]!r}" if start else f"the directory {path}"
    raise BadInputError.of("path", rule=f"must be {_understood()}", got=got)


def live_kind_of(model: Any) -> type[Incoming] | None:
    """Return the kind that takes a live object; None where it is no model, such as a path."""
    units = map(incoming.get, incoming.names())
    return next((unit for unit in units if unit.takes(model)), None)


def _understood() -> str:
    kinds = [incoming.get(name).described for name in incoming.names()]
    return " or ".join(filter(None, (", ".join(kinds[:-1]), kinds[-1])))
