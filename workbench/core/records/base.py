"""What all records have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from workbench.core.errors import WorkspaceError
from workbench.core.workspace import read_json

if TYPE_CHECKING:
    from pathlib import Path


class Record(BaseModel):
    """Base of all records: frozen, plain JSON both ways."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Rebuild from `to_json`'s value."""
        return cls.model_validate(value)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return self.model_dump(mode="json")


R = TypeVar("R", bound=Record)


def read_record(path: Path, kind: type[R], **known: Any) -> R:
    """Read a record from a JSON file.

    Args:
        path: The file.
        kind: What it holds.
        **known: Fields that the file does not hold because its reader knows better.

    Raises:
        WorkspaceError: The file is missing, no JSON, or not such a record; the first wrong field is named.
    """
    found = read_json(path)
    if not isinstance(found, dict):
        raise _damaged(path, f"it must hold an object, got {type(found).__name__}")
    if extra := sorted(known.keys() & found.keys()):
        raise _damaged(path, f"{extra[0]} must not be in it")
    try:
        return kind.from_json(found | known)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or kind.__name__
        raise _damaged(path, f"{field}: {first['msg'][0].lower()}{first['msg'][1:]}") from error


def _damaged(path: Path, reason: str) -> WorkspaceError:
    return WorkspaceError(f"{path} is damaged ({reason}); make it again.")
