"""Data as the dataset control names it: a known name, a path of one's own, or the prepared folder of an earlier run."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError, WorkspaceError
from workbench.core.workspace import read_json
from workbench.datasets import Dataset, csv_file, load_dataset
from workbench.datasets.base import SOURCES
from workbench.datasets.content import DESCRIPTION

if TYPE_CHECKING:
    from workbench.core.workspace import Workspace

FILES = frozenset({".npz", *csv_file.SUFFIXES})


def check(chosen: str) -> str:
    """Return the name or path if there is such data; what lies in it is checked when it is prepared.

    Raises:
        BadInputError: There is none.
    """
    path = Path(chosen).expanduser()
    if chosen in known() or (chosen and (path.is_dir() or (path.is_file() and path.suffix.lower() in FILES))):
        return chosen
    raise BadInputError.of(
        "dataset", rule=f"must be {', '.join(known())}, a .csv or .npz file, or a folder of class folders", got=chosen,
        hint="type its path as this machine sees it",
    )  # fmt: skip


def open_chosen(chosen: str, workspace: Workspace, label: str | None = None) -> Dataset:
    """Open the data, preparing it in a job where that was not done yet; blocks.

    Args:
        chosen: What the control holds.
        workspace: Where it is prepared.
        label: Column of a CSV file that holds the classes; None is the one with a usual name.

    Raises:
        BadInputError: No such data, or it breaks a rule.
        WorkspaceError: A prepared folder is not whole, or the workspace cannot be written.
    """
    if is_prepared(chosen):
        return Dataset.open(chosen)
    options: dict[str, Any] = {"label": label} if label else {}
    return load_dataset(chosen, workspace=workspace, **options)


def chosen_by(spec: dict[str, Any], workspace: Workspace) -> str:
    """Return what the control must hold so that a run's very data is opened again.

    A run knows its data by content. Where that is no dataset with a name of its own, the prepared folder stands for
    it: the file that it came from may have changed since.
    """
    name = str(spec["name"])
    try:
        data = Dataset.open_spec(spec, workspace)
    except WorkspaceError:
        return name
    # A file of one's own may be called like a known dataset; only the known one carries its note.
    return name if name in known() and data.note == SOURCES.get(name).note else str(data.folder)


def is_prepared(chosen: str) -> bool:
    """Say whether it is the folder of a prepared dataset."""
    return chosen not in known() and (Path(chosen) / DESCRIPTION).is_file()


def holds_images(chosen: str) -> bool:
    """Say whether the samples are images, as far as that is known before the data is read."""
    if chosen in known():
        return SOURCES.get(chosen).kind == "images"
    if is_prepared(chosen):
        return bool(read_json(Path(chosen) / DESCRIPTION).get("kind", "images") == "images")
    return not is_csv(chosen)


def is_csv(chosen: str) -> bool:
    """Say whether it is a path of a CSV file, one of whose columns holds the classes."""
    return chosen not in known() and Path(chosen).suffix.lower() in csv_file.SUFFIXES


def python_for(chosen: str, label: str | None = None) -> str:
    """Return the Python expression that stands for the data."""
    if is_prepared(chosen):
        return f"wb.Dataset.open({chosen!r})"
    return f"wb.load_dataset({chosen!r}, label={label!r})" if label else repr(chosen)


@cache
def known() -> tuple[str, ...]:
    """Return the names of all datasets that have one, those of images first; looked up once."""
    return tuple(sorted(SOURCES.names(), key=lambda name: (SOURCES.get(name).kind != "images", name)))
