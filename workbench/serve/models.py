"""The models a server holds: which version a request means, and what each version's state is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.serve.status import invalid, not_found

if TYPE_CHECKING:
    from workbench.serve.servable import Servable


@dataclass
class Model:
    """All versions of one model, loaded or not, and its labels."""

    versions: dict[int, Servable] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)

    def available(self) -> list[Servable]:
        """Return the versions that answer, oldest first."""
        return [one for _, one in sorted(self.versions.items()) if one.state == "AVAILABLE"]


@dataclass(frozen=True)
class Target:
    """Whom a request asks: a model and, at most, a version or a label."""

    name: str
    version: int | None = None
    label: str | None = None


class Models:
    """Looked up by name in memory; no name that a client sends ever becomes a path."""

    def __init__(self, models: dict[str, Model]) -> None:
        self._models = models

    def names(self) -> list[str]:
        """Return the names of all models."""
        return sorted(self._models)

    def model(self, name: str) -> Model | None:
        """Return a model."""
        return self._models.get(name)

    def find(self, target: Target) -> Servable:
        """Return the version that answers a request: the one named, the label's, or the newest.

        Raises:
            RequestError: NOT_FOUND for an unknown model or version, INVALID_ARGUMENT for an unknown label.
        """
        model = self._models.get(target.name, Model())
        available = {one.version: one for one in model.available()}
        version = target.version
        if target.label is not None and target.name in self._models:
            version = model.labels.get(target.label)
            if version is None:
                raise invalid(f"Unrecognized servable version label: {target.label}")
        if version is not None:
            if version not in available:
                raise not_found(f"Servable not found for request: Specific({target.name}, {version})")
            return available[version]
        if not available:
            raise not_found(f"Servable not found for request: Latest({target.name})")
        return available[max(available)]

    def listed(self, target: Target) -> list[Servable]:
        """Return what a status request lists, newest first; a label is not looked at, as in TensorFlow Serving.

        Raises:
            RequestError: NOT_FOUND.
        """
        model = self._models.get(target.name)
        if model is None or not model.versions:
            raise not_found(f"Could not find any versions of model {target.name}")
        if target.version is None:
            return [model.versions[version] for version in sorted(model.versions, reverse=True)]
        if target.version not in model.versions:
            raise not_found(f"Could not find version {target.version} of model {target.name}")
        return [model.versions[target.version]]

    def loaded(self) -> bool:
        """Tell whether every model has a version that answers."""
        return all(model.available() for model in self._models.values())
