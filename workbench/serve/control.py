"""What an administrator asks of a server: another configuration, a model in or out, and what there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pydantic import Field

from workbench.core.records.base import Record
from workbench.serve.status import Code, RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from workbench.serve.config.model_config import ModelConfig
    from workbench.serve.models import Models
    from workbench.serve.servable import State


class Refusal(Record):
    """What a reload was asked and did not do.

    Attributes:
        name: Model name.
        version: Version it is about; None for the whole model.
        label: Label it is about; None where it is about none.
        reason: Why, one sentence.
    """

    name: str
    version: int | None = None
    label: str | None = None
    reason: str


class Reload(Record):
    """What a reload did.

    Attributes:
        loaded: (model, version) pairs that were not served before and are now.
        unloaded: (model, version) pairs that were served before and are not any more.
        labels: All labels, as they are now, of each model of which one was set, moved or taken away.
        refused: What was asked and not done.
    """

    loaded: tuple[tuple[str, int], ...] = ()
    unloaded: tuple[tuple[str, int], ...] = ()
    labels: dict[str, dict[str, int]] = Field(default_factory=dict)
    refused: tuple[Refusal, ...] = ()

    @classmethod
    def merged(cls, parts: Iterable[Reload]) -> Reload:
        """Return what several did together."""
        every = list(parts)
        return cls(
            loaded=tuple(pair for one in every for pair in one.loaded),
            unloaded=tuple(pair for one in every for pair in one.unloaded),
            labels={name: labels for one in every for name, labels in one.labels.items()},
            refused=tuple(refusal for one in every for refusal in one.refused),
        )

    @property
    def changed(self) -> bool:
        """Whether a version came, went, or was refused, or a label changed."""
        return bool(self.loaded or self.unloaded or self.labels or self.refused)

    def sentence(self) -> str:
        """Return it as one line for a log."""
        parts = [f"loaded {_pairs(self.loaded)}", f"unloaded {_pairs(self.unloaded)}"]
        parts += [
            f"labels of {name}: "
            + (", ".join(f"{label} -> {version}" for label, version in sorted(labels.items())) or "none")
            for name, labels in sorted(self.labels.items())
        ]
        parts += [f"refused {one.name}: {one.reason}" for one in self.refused]
        return "; ".join(parts)


class ReloadError(RequestError):
    """A reload of which something important was not done; `done` is what was."""

    def __init__(self, code: Code, message: str, done: Reload) -> None:
        super().__init__(code, message)
        self.done = done


@dataclass(frozen=True)
class Indexed:
    """A version as a repository index lists it.

    Attributes:
        name: Model name.
        version: Version number.
        state: Where it is in its life.
        reason: Why it does not answer; empty where it does.
    """

    name: str
    version: int
    state: State
    reason: str = ""


class Control(Protocol):
    """Admin requests of all doors."""

    async def reload(self, configs: Sequence[ModelConfig]) -> Reload:
        """Replace the whole configuration: models that are not named are unloaded.

        Raises:
            RequestError: INVALID_ARGUMENT, a name comes twice, nothing was changed; FAILED_PRECONDITION, a label's
                version is not available, the labels stay as they were; UNKNOWN, a model did not become available.
        """

    async def load(self, name: str) -> None:
        """Serve a model again, or what lies in its folder now.

        Raises:
            RequestError: NOT_FOUND, no such model; FAILED_PRECONDITION, none of its versions can be loaded.
        """

    async def unload(self, name: str) -> None:
        """Unload all versions of a model until it is loaded again.

        Raises:
            RequestError: NOT_FOUND, no such model.
        """

    def index(self) -> list[Indexed]:
        """Return every version of every model."""


class NoControl:
    """A server whose models never change."""

    def __init__(self, models: Models | None = None) -> None:
        self._models = models

    async def reload(self, configs: Sequence[ModelConfig]) -> Reload:
        """Refuse."""
        del configs
        raise _refusal()

    async def load(self, name: str) -> None:
        """Refuse."""
        del name
        raise _refusal()

    async def unload(self, name: str) -> None:
        """Refuse."""
        del name
        raise _refusal()

    def index(self) -> list[Indexed]:
        """Return what the models show."""
        return [] if self._models is None else index_of(self._models)


def index_of(models: Models) -> list[Indexed]:
    """Return every version of every model, by name and newest first."""
    every = [(name, models.model(name)) for name in models.names()]
    return [
        Indexed(name, one.version, one.state, one.error or "")
        for name, model in every
        if model is not None
        for one in model.listed()
    ]


def _pairs(versions: tuple[tuple[str, int], ...]) -> str:
    return ", ".join(f"{name}/{version}" for name, version in versions) or "nothing"


def _refusal() -> RequestError:
    return RequestError(Code.UNIMPLEMENTED, "The models of this server cannot be changed")
