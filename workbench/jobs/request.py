"""What a job was asked to do: `job.json`, written once."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from workbench.core.errors import BadInputError, WorkspaceError
from workbench.core.records import Record
from workbench.core.settings import Settings
from workbench.core.workspace import read_json, write_json

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "job.json"
_KIND = re.compile(r"[a-z0-9_]+")
_STAGE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


class Limits(Settings):
    """What a job may use before it is ended; for work on files that nobody vouched for."""

    seconds: float | None = Field(default=None, gt=0, description="Wall time in seconds.")
    memory_bytes: int | None = Field(
        default=None, gt=0, description="Memory of its own, beyond the frameworks that all jobs share."
    )


class Request(Record):
    """A job as it was asked for.

    Attributes:
        stage: Import path of the stage function, `module:function`.
        settings: Plain JSON, handed to the stage.
        kind: What people call this sort of job; the run folder's name starts with it.
        limits: When to end it.
        where: Who runs it: the cluster, or the process that asked and lives no longer than that.
    """

    stage: str
    settings: dict[str, Any]
    kind: str
    limits: Limits = Field(default_factory=Limits)
    where: Literal["cluster", "asker"] = "cluster"

    @classmethod
    def of(
        cls,
        stage: str,
        settings: Any,
        kind: str,
        *,
        limits: dict[str, float] | None = None,
        where: Literal["cluster", "asker"] = "cluster",
    ) -> Request:
        """Check what a caller gave.

        Raises:
            BadInputError: A name is malformed, or the settings are no plain JSON.
        """
        if not _STAGE.fullmatch(stage):
            raise BadInputError.of("stage", rule="must be an import path like package.module:function", got=stage)
        if not _KIND.fullmatch(kind):
            raise BadInputError.of("kind", rule="must consist of a-z, 0-9 and _", got=kind)
        return cls(
            stage=stage, settings=_plain(settings), kind=kind, limits=Limits.parse(dict(limits or {})), where=where
        )

    @classmethod
    def load(cls, folder: Path) -> Request:
        """Read what a run was asked.

        Raises:
            WorkspaceError: The file is missing or damaged.
        """
        try:
            return cls.from_json(read_json(folder / FILE_NAME))
        except ValidationError as error:
            wrong = ".".join(map(str, error.errors()[0]["loc"]))
            raise WorkspaceError(f"{folder / FILE_NAME} is damaged ({wrong}); ask for the job anew.") from error

    def write(self, folder: Path) -> None:
        """Write it into a run's folder.

        Raises:
            WorkspaceError: The disk refused it.
        """
        write_json(folder / FILE_NAME, self.to_json())


def _plain(settings: Any) -> dict[str, Any]:
    values = settings.model_dump(mode="json") if isinstance(settings, BaseModel) else settings
    try:
        plain = json.loads(json.dumps(values))
    except (TypeError, ValueError) as error:
        raise BadInputError.of("settings", rule=f"must be plain JSON ({error})", got=settings) from None
    if not isinstance(plain, dict):
        raise BadInputError.of("settings", rule="must be a mapping of names to values", got=settings)
    return plain
