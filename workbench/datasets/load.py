"""Find a dataset, preparing it in a job where it is asked for the first time."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.core.artifact import content_sha256
from workbench.core.errors import BadInputError
from workbench.core.workspace import Workspace, digest
from workbench.datasets import csv_file
from workbench.datasets.base import SOURCES, DatasetSource
from workbench.datasets.class_folders import listing
from workbench.datasets.content import find
from workbench.datasets.dataset import Dataset, safe_name
from workbench.datasets.names import shown, writable
from workbench.datasets.options import ReadOptions
from workbench.datasets.prepare import PrepareSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.core.events import Event

STAGE = "workbench.datasets.prepare:run"


class DefaultDataset(NamedTuple):
    """The dataset to begin with, and a sentence on why it is that one."""

    name: str
    note: str


def load_dataset(
    dataset: str | os.PathLike[str] | Dataset,
    *,
    workspace: Workspace | None = None,
    on_event: Callable[[Event], None] | None = None,
    **options: Any,
) -> Dataset:
    """Return a dataset; one that is prepared already is opened at once, without a job.

    Args:
        dataset: A name (`digits`, `mnist`, `wine`, …), the path of a CSV or `.npz` file, or of a folder of class
            folders of images. A `Dataset` is returned as it is.
        workspace: Where the prepared files are kept.
        on_event: Called with each event of the job that prepares it.
        **options: Fields of `ReadOptions` that say what the data does not say itself: `label`, the column of a CSV
            file that holds the classes, `categorical` and `seed`; `scaling` of any table; `kind` of an `.npz` file.

    Raises:
        BadInputError: No such dataset, an option that it does not take, or data that breaks a rule (the key, index,
            file, row or column is named).
        WorkspaceError: The workspace cannot be written.
    """
    said = ReadOptions.parse(options)
    if isinstance(dataset, Dataset):
        said.require_among((), f"{dataset.name}, which is prepared")
        return dataset
    workspace = Workspace.of(workspace)
    settings = _asked(dataset, said)
    folder = find(workspace, settings.keys[0])
    if folder is None:
        from workbench.jobs import finish, submit

        job = submit(STAGE, settings, kind="prepare", workspace=workspace, reuse=False)
        finish(job, on_event=on_event)
        folder = workspace.cache / "datasets" / str(job.value()["folder"])
    return Dataset.open(folder)


def prepared_dataset(
    dataset: str | os.PathLike[str], *, workspace: Workspace | None = None, **options: Any
) -> Dataset | None:
    """Return a dataset if it was prepared before, else None; takes what `load_dataset` takes, and starts no job.

    Raises:
        BadInputError: No such dataset, or an option that it does not take.
    """
    workspace = Workspace.of(workspace)
    folder = find(workspace, _asked(dataset, ReadOptions.parse(options)).keys[0])
    return Dataset.open(folder) if folder is not None else None


def default_dataset(workspace: Workspace | None = None) -> DefaultDataset:
    """Return `mnist` where it is at hand (a file, or prepared before), else `digits`, with the reason."""
    source = SOURCES.get("mnist")()
    prepared = find(Workspace.of(workspace), _unit_key("mnist", source, None, ReadOptions()))
    if source.at_hand() or prepared is not None:
        return DefaultDataset("mnist", "MNIST is at hand.")
    digits = SOURCES.get("digits")()
    return DefaultDataset(
        "digits",
        f"MNIST is not at hand, so this uses digits: {digits.note} "
        "For MNIST set WORKBENCH_DATA to a folder with mnist.npz, or ask for 'mnist' to download it.",
    )


def _asked(dataset: str | os.PathLike[str], options: ReadOptions) -> PrepareSettings:
    if not isinstance(dataset, str | os.PathLike):
        raise BadInputError.of("dataset", rule="must be a name or a path", got=dataset)
    try:
        name = os.fspath(dataset)
        return _unit(name, options) if name in SOURCES.names() else _own(name, options)
    except (OSError, RuntimeError) as error:  # too long, no permission, gone meanwhile; no such user's home
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise BadInputError.of("dataset", rule="must be one that can be read", got=str(dataset),
                               hint=f"the system says: {reason.rstrip('.')}") from error  # fmt: skip


def _own(dataset: str, options: ReadOptions) -> PrepareSettings:
    path = Path(dataset).expanduser().absolute()
    writable(path)
    if dataset and path.is_dir():  # the empty text would be the working folder
        options.require_among((), f"{shown(path.name)}, a folder of images")
        key = digest({"folder": path.name, "files": listing(path)})
        return PrepareSettings(kind="folder", name=safe_name(path.name), path=str(path), keys=(key,))
    suffix = path.suffix.lower() if path.is_file() else ""
    if suffix == ".npz":
        options.require_among(("kind", "scaling"), f"{shown(path.name)}, an .npz file")
        key = digest({"npz": path.name, "sha256": _sha256(path), **_said(options)})
        return PrepareSettings(
            kind="npz", name=safe_name(path.stem), path=str(path), keys=(key,), options=options
        )  # fmt: skip
    if suffix in csv_file.SUFFIXES:
        options.require_among(("label", "categorical", "scaling", "seed"), f"{shown(path.name)}, a CSV file")
        csv_file.require_size(path)  # before it is read for its checksum
        key = digest({"csv": path.name, "sha256": _sha256(path), "reader": csv_file.REVISION, **_said(options)})
        return PrepareSettings(kind="csv", name=safe_name(path.stem), path=str(path), keys=(key,), options=options)
    raise BadInputError.of(
        "dataset",
        rule=f"must be one of {', '.join(SOURCES.names())}, a .csv or .npz file, or a folder of class folders",
        got=dataset,
    )


def _unit(name: str, options: ReadOptions) -> PrepareSettings:
    source = SOURCES.get(name)()
    table = source.kind == "table"
    options.require_among(("scaling",) if table else (), f"{name}, a dataset with a name" if table else name)
    file = source.locate()
    if file is not None:
        writable(file)
    # Also found without the file: once prepared, it is there when the file is not.
    keys = tuple(dict.fromkeys(_unit_key(name, source, found, options) for found in (file, None)))
    return PrepareSettings(kind="unit", name=name, path=str(file) if file else None, keys=keys, options=options)


def _unit_key(name: str, source: DatasetSource, file: Path | None, options: ReadOptions) -> str:
    asked = {"unit": name, "revision": source.revision, "file": _sha256(file) if file else None}
    return digest({**asked, **_said(options)})


def _said(options: ReadOptions) -> dict[str, Any]:
    # Nothing where nothing was said: what was prepared before there were options is found as ever.
    return {"options": given} if (given := options.given()) else {}


def _sha256(file: Path) -> str:
    facts = file.stat()
    return _sha256_as_of(file, facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=64)
def _sha256_as_of(file: Path, size: int, mtime_ns: int) -> str:
    # A page asks for its dataset at every turn; a file that did not change need not be read for that.
    del size, mtime_ns
    return content_sha256(file)
