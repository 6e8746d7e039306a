"""What all targets have in common: from facts to the files that a place wants."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from workbench.core.plugins import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.core.records.package import ModelCard
    from workbench.package.facts import PackageFacts

REST, GRPC, OIP = 8501, 8500, 8080
KEYS = "api_keys.json"


class Target(ABC):
    """A place where a model is served, or made anew."""

    @abstractmethod
    def files(self, facts: PackageFacts, card: ModelCard) -> Mapping[str, str]:
        """Return the texts that it wants, by their paths in the package; none where it cannot take the model."""


targets: Registry[Target] = Registry(
    "targets",
    "workbench.package.targets",
    Target,  # type: ignore[type-abstract]
)


def server_flags(facts: PackageFacts, models: str = "/models") -> list[str]:
    """Return what our server is told in a container: where it listens, for whom, and what it serves."""
    return [
        "--host=0.0.0.0", f"--port={GRPC}", f"--rest_api_port={REST}", f"--api_keys_file=/run/secrets/{KEYS}",
        f"--model_name={facts.name}", f"--model_base_path={models}/{facts.name}",
    ]  # fmt: skip
