"""What is served: a model's folder, which of its versions, and names for some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from workbench.core.errors import BadInputError
from workbench.core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_VERSION = (1 << 63) - 1

_PRINTABLE = r"^[^/:\x00-\x1f\x7f]{1,255}$"  # one part of a URL, and one line of a log

Version = Annotated[int, Field(ge=0, le=MAX_VERSION)]


class Latest(Settings):
    """The newest versions of those that are there."""

    kind: Literal["latest"] = Field(default="latest", description="the policy's name")
    num_versions: int = Field(default=1, ge=1, le=1 << 31, description="how many of the newest versions")

    def chosen(self, found: Iterable[int]) -> list[int]:
        """Return which of the versions found are to be served, oldest first."""
        return sorted(found)[-self.num_versions :]


class All(Settings):
    """Every version that is there."""

    kind: Literal["all"] = Field(default="all", description="the policy's name")

    def chosen(self, found: Iterable[int]) -> list[int]:
        """Return which of the versions found are to be served, oldest first."""
        return sorted(found)


class Specific(Settings):
    """The versions named."""

    kind: Literal["specific"] = Field(default="specific", description="the policy's name")
    versions: tuple[Version, ...] = Field(default=(), description="version numbers")

    def chosen(self, found: Iterable[int]) -> list[int]:
        """Return which of the versions found are to be served, oldest first."""
        return sorted(set(found) & set(self.versions))


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise BadInputError.of("base_path", rule="must be an absolute path", got=path)
    return path


class ModelConfig(Settings):
    """One model as a server is told of it."""

    name: str = Field(pattern=_PRINTABLE, description="model name in requests")
    base_path: Annotated[str, AfterValidator(_absolute)] = Field(description="folder whose subfolders are versions")
    policy: Annotated[Latest | All | Specific, Field(discriminator="kind")] = Field(
        default=Latest(), description="which versions are served"
    )
    labels: dict[Annotated[str, Field(pattern=_PRINTABLE)], Version] = Field(
        default={}, description="names that requests may use for versions"
    )
