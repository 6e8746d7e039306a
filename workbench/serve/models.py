"""The models a server holds: which version a request means, and what each version's state is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from workbench.serve.status import invalid, not_found

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.serve.rollout.route import Route
    from workbench.serve.servable import Servable, State

_KEPT = 64  # versions that ended and are still listed; a server that lives long must not grow by each


class Listed(Protocol):
    """What a status request tells of a version."""

    @property
    def version(self) -> int:
        """Version number."""

    @property
    def state(self) -> State:
        """Where it is in its life."""

    @property
    def error(self) -> str | None:
        """Why it ended, one sentence; None where it did not, or was unloaded in order."""


@dataclass(frozen=True)
class Shown:
    """A version that is listed and not held: it is to be loaded, or it ended."""

    version: int
    state: State
    error: str | None = None


@dataclass
class Model:
    """All versions of one model, loaded or not, and its labels.

    Attributes:
        versions: Those that are held.
        labels: Names for version numbers.
        shown: Those that are listed only; no number is in both.
        route: Where requests go that name no version; None where the newest answers.
    """

    versions: dict[int, Servable] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    shown: dict[int, Shown] = field(default_factory=dict)
    route: Route | None = None

    def available(self) -> list[Servable]:
        """Return the versions that answer, oldest first."""
        return [one for _, one in sorted(self.versions.items()) if one.state == "AVAILABLE"]

    def newest(self) -> Servable | None:
        """Return the newest version that answers."""
        found: Servable | None = None
        for one in self.versions.values():
            if one.state == "AVAILABLE" and (found is None or one.version > found.version):
                found = one
        return found

    def usual(self) -> Servable | None:
        """Return the version that answers who names none."""
        newest = self.newest()
        return newest if self.route is None else self.route.usual(self.versions, newest)

    def listed(self) -> list[Listed]:
        """Return what a status request lists, newest first."""
        every: list[Listed] = [*self.versions.values(), *self.shown.values()]
        return sorted(every, key=lambda one: one.version, reverse=True)


@dataclass(frozen=True)
class Target:
    """Whom a request asks: a model and, at most, a version or a label."""

    name: str
    version: int | None = None
    label: str | None = None


class Models:
    """Looked up by name in memory; no name that a client sends ever becomes a path.

    Changes come from one thread; readers in others see a model as it was before or after each.

    Attributes:
        draining: The server ends; it answers what is asked of it, and says that it is not ready.
    """

    def __init__(self, models: dict[str, Model]) -> None:
        self._models = models
        self.draining = False

    def names(self) -> list[str]:
        """Return the names of all models."""
        return sorted(self._models)

    def model(self, name: str) -> Model | None:
        """Return a model."""
        return self._models.get(name)

    def find(self, target: Target) -> Servable:
        """Return the version that answers a request: the one named, the label's, or the usual one, which is the newest.

        Raises:
            RequestError: NOT_FOUND for an unknown model or version, INVALID_ARGUMENT for an unknown label.
        """
        model = self._models.get(target.name)
        version = target.version
        if target.label is not None:
            version = model.labels.get(target.label) if model is not None else None
            if version is None:
                raise invalid(f"Unrecognized servable version label: {target.label}")
        if version is not None:
            one = model.versions.get(version) if model is not None else None
            if one is None or one.state != "AVAILABLE":
                raise not_found(f"Servable not found for request: Specific({target.name}, {version})")
            return one
        usual = model.usual() if model is not None else None
        if usual is None:
            raise not_found(f"Servable not found for request: Latest({target.name})")
        return usual

    def listed(self, target: Target) -> list[Listed]:
        """Return what a status request lists, newest first; a label is not looked at, as in TensorFlow Serving.

        Raises:
            RequestError: NOT_FOUND.
        """
        model = self._models.get(target.name)
        every = model.listed() if model is not None else []
        if not every:
            raise not_found(f"Could not find any versions of model {target.name}")
        if target.version is None:
            return every
        found = [one for one in every if one.version == target.version]
        if not found:
            raise not_found(f"Could not find version {target.version} of model {target.name}")
        return found

    def loaded(self) -> bool:
        """Tell whether every model has a version that answers, and goes on to."""
        return not self.draining and all(model.newest() is not None for model in self._models.values())

    def add(self, servable: Servable) -> None:
        """Answer with a version from now on."""
        model = self._models.get(servable.name, Model())
        self._put(
            servable.name,
            versions={**model.versions, servable.version: servable},
            shown={number: one for number, one in model.shown.items() if number != servable.version},
        )

    def remove(self, name: str, version: int) -> None:
        """Hold a version no more; nothing lists it until it is shown."""
        model = self._models.get(name)
        if model is not None and version in model.versions:
            self._put(name, versions={number: one for number, one in model.versions.items() if number != version})

    def show(self, name: str, version: int, state: State, error: str = "") -> None:
        """List a version that is not held; of those that ended the last few are kept."""
        model = self._models.get(name, Model())
        if version in model.versions:
            return
        shown = {number: one for number, one in model.shown.items() if number != version}
        shown[version] = Shown(version, state, error or None)
        ended = [number for number, one in shown.items() if one.state == "END"]
        for number in ended[:-_KEPT]:
            del shown[number]
        self._put(name, shown=shown)

    def set_labels(self, name: str, labels: Mapping[str, int]) -> None:
        """Replace all labels of a model."""
        self._put(name, labels=dict(labels))

    def set_route(self, name: str, route: Route | None) -> None:
        """Send requests that name no version another way."""
        self._put(name, route=route)

    def forget(self, name: str) -> None:
        """Know a model no more."""
        self._models = {known: model for known, model in self._models.items() if known != name}

    def _put(self, name: str, **parts: dict[int, Servable] | dict[int, Shown] | dict[str, int] | Route | None) -> None:
        model = self._models.get(name, Model())
        self._models = {**self._models, name: replace(model, **parts)}  # type: ignore[arg-type]
