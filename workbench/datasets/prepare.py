"""The job that brings a dataset into the cache."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from workbench.core.settings import Settings
from workbench.datasets.base import SOURCES, RawData
from workbench.datasets.content import Content, store
from workbench.datasets.csv_table import read_table
from workbench.datasets.folder import read_folder
from workbench.datasets.npz import read_npz
from workbench.datasets.options import ReadOptions

if TYPE_CHECKING:
    from workbench.jobs.stage import StageContext


class PrepareSettings(Settings):
    """What to prepare and under which questions to find it again."""

    kind: Literal["unit", "npz", "csv", "folder"] = Field(
        description="named dataset, .npz file, CSV file, or folder of folders"
    )
    name: str = Field(description="what the dataset is called")
    path: str | None = Field(default=None, description="file or folder to read; none for what is downloaded")
    keys: tuple[str, ...] = Field(default=(), description="content addresses of the questions this answers")
    options: ReadOptions = Field(default_factory=ReadOptions, description="what was said about the data")


def run(context: StageContext) -> dict[str, str]:
    """Read, check and store one dataset; returns the name of its folder in the cache."""
    settings = PrepareSettings.parse(context.settings)
    context.progress(0, 3, f"reading {settings.name}")
    raw = _read(settings)
    context.progress(1, 3, f"checking {settings.name}")
    content = Content.checked(raw, None if settings.kind == "csv" else settings.options.scaling)
    context.progress(2, 3, f"writing {settings.name}")
    folder = store(context.workspace, settings.name, content, settings.keys)
    context.progress(3, 3, f"{settings.name} is ready")
    return {"folder": folder.name}


def _read(settings: PrepareSettings) -> RawData:
    path = Path(settings.path) if settings.path is not None else None
    if settings.kind == "npz" and path is not None:
        return read_npz(path, settings.options.kind)
    if settings.kind == "csv" and path is not None:
        return read_table(path, settings.options)
    if settings.kind == "folder" and path is not None:
        return read_folder(path)
    return SOURCES.get(settings.name)().read(path)
