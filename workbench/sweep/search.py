"""The verb `search`: which training, and which network under a budget, learns the data best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError
from workbench.core.workspace import Workspace, digest
from workbench.datasets import Dataset, load_dataset
from workbench.datasets.dataset import safe_name
from workbench.sweep.axes import Range, plain
from workbench.sweep.metrics import TIMED
from workbench.sweep.run import require_same
from workbench.sweep.settings import SweepSettings, require_workers
from workbench.sweep.training_search import TrainingSearch
from workbench.train.search import SearchSettings, axes_of, candidate, require_value

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from workbench.core.events import Event
    from workbench.core.records import SweepPoint
    from workbench.jobs import StageContext

SPACE: Mapping[str, Sequence[Any] | Range] = {
    "learning_rate": Range(low=3e-4, high=1e-2, log=True),
    "batch_size": (32, 64, 128, 256),
    "optimizer": ("adam", "adamw", "nadam", "rmsprop"),
    "label_smoothing": (0.0, 0.05, 0.1),
    "shift_pixels": (0, 1, 2),
    "filters": Range(low=4, high=32, log=True, whole=True),
    "depth": (1, 2, 3),
    "kernel": (3, 5),
    "dense": (0, 16, 32, 64, 128),
}


def search(  # noqa: PLR0913 - what it is given, where it goes, who is told; the rest are declared settings
    data: Dataset | str | os.PathLike[str],
    *,
    space: Mapping[str, Sequence[Any] | Range] | None = None,
    train: Mapping[str, Any] | None = None,
    objectives: Sequence[str] = ("accuracy", "raw"),
    name: str | None = None,
    workers: int | None = None,
    on_point: Callable[[SweepPoint], object] | None = None,
    on_event: Callable[[Event], object] | None = None,
    workspace: Workspace | None = None,
    **settings: Any,
) -> TrainingSearch:
    """Search trainings and network sizes with Optuna and return the search, which is a sweep.

    **What is looked at.** Trials are pruned, compared and put on the frontier by a validation split alone: a share of
    each class of the *training* samples, which no trial learns from. The test split is looked at once, when the search
    is done, for the points that are then on the frontier; `tested()` gives those figures, and nothing is chosen by
    them. The validation accuracy of the best of many trials is too good by the choosing; the test accuracy is not.

    A network above the budget is refused before it is trained, a trial below the median of the others at the same
    epoch is ended; both stay as failed points with their reason. A search of the same name and question is gone on
    with; if its process is killed, `attach_search(name).resume()` goes on, and nothing that is finished is repeated.
    With `workers=1` equal seeds propose equal trials; with more, the order in which trials end plays a part.

    Args:
        data: What to learn.
        space: Values by axis, a sequence or a `Range`; an axis is any setting of learning (`learning_rate`,
            `batch_size`, `optimizer`, `shift_pixels`, `label_smoothing`, …) or of the network (`filters`, `depth`,
            `kernel`, `dense` of `sized_cnn`). None is `SPACE`.
        train: Training settings that all trials share, such as `{"epochs": 10}`; `recipe` is what they begin with.
        objectives: Metrics that the frontier weighs; sizes are those of the float32 ONNX file. Optuna maximises the
            validation accuracy.
        name: Of the folder in `sweeps/`; None is the data's name and the question's digest.
        workers: Trials under way at once; None is one a core.
        on_point: Called in this thread with each finished, ended or refused point.
        on_event: Called with every event of the driving run.
        workspace: Where all is kept; None is the default one.
        **settings: Fields of `SearchSettings`: `trials`, `budget` (`{"parameters": 50_000}` or `{"bytes": 200_000}`),
            `pruner`, `seed`, `architecture`, `validation_fraction`.

    Returns:
        The search: `points()`, `frontier()`, `best()`, `tested()`, `importance()`, `export(…)`.

    Raises:
        BadInputError: A setting or axis breaks its rule, the name is taken by another question, the data changed.
        JobCancelledError: Somebody cancelled it; what is finished stays.
        MissingExtraError: Optuna is not installed.
        WorkspaceError: The disk refused it.
    """
    workspace = Workspace.of(workspace)
    require_workers(workers)
    chosen = SearchSettings.parse(settings)
    dataset = load_dataset(data, workspace=workspace)
    axes = _checked(SPACE if space is None else space, chosen)
    if train is not None and not isinstance(train, Mapping):
        raise BadInputError.of("train", rule="must be an object of training settings", got=train)
    if isinstance(objectives, str) or not isinstance(objectives, Sequence):
        raise BadInputError.of("objectives", rule="must be a list of metrics", got=objectives)
    asked = _question(dataset, axes, dict(train or {}), chosen, tuple(objectives), workspace)
    handle = TrainingSearch.named(name or f"{dataset.name}-search-{digest(asked)[:8]}", workspace)
    if handle.folder.exists:
        _require_same(asked, handle)
    else:
        handle.folder.begin(asked)
    return handle.resume(workers=workers, on_point=on_point, on_event=on_event)


def attach_search(name: str, workspace: Workspace | None = None) -> TrainingSearch:
    """Return a search by its name, from any process.

    Raises:
        BadInputError: There is none.
    """
    return TrainingSearch.attach(name, Workspace.of(workspace))


def run(context: StageContext) -> dict[str, Any]:
    """Drive a search; settings `sweep` (its name), `workers`. Returns how it ended."""
    from workbench.sweep.training_driver import TrainingDriver

    handle = TrainingSearch.attach(context.settings["sweep"], context.workspace)
    workers = context.settings["workers"]
    state = handle.folder.drive(context.folder.name, lambda: TrainingDriver.of(handle, context, workers).run())
    return {"state": state, "points": len(handle.points())}


def _checked(
    space: Mapping[str, Sequence[Any] | Range], settings: SearchSettings
) -> dict[str, tuple[Any, ...] | Range]:
    if not isinstance(space, Mapping):
        raise BadInputError.of("space", rule="must be an object of values by axis", got=space)
    if not space:
        known = ", ".join(axes_of(settings.architecture))
        raise BadInputError.of("space", rule="must have at least one axis", got={}, hint=f"choose from {known}")
    return {name: _axis(name, axis, settings.architecture) for name, axis in space.items()}


def _axis(name: str, axis: Any, architecture: str) -> tuple[Any, ...] | Range:
    ends = (axis.low, axis.high) if isinstance(axis, Range) else axis
    if isinstance(ends, str) or not hasattr(ends, "__iter__") or not (values := tuple(ends)):
        raise BadInputError.of(f"space.{name}", rule="must be a list of values or a Range", got=axis)
    values = tuple(plain(value) for value in values)
    for value in values:
        require_value(architecture, name, int(value) if isinstance(axis, Range) and axis.whole else value)
    return axis if isinstance(axis, Range) else values


def _question(
    data: Dataset,
    axes: Mapping[str, tuple[Any, ...] | Range],
    train: dict[str, Any],
    settings: SearchSettings,
    objectives: tuple[str, ...],
    workspace: Workspace,
) -> dict[str, Any]:
    if wrong := [name for name in train if name in axes]:
        raise BadInputError.of("train", rule="must not fix an axis of the space", got=wrong[0])
    # What all share is refused before the first trial, and a network that cannot be counted.
    settings.budget.refusal(candidate(data, settings, train, {}), data)
    limits = (f"raw <= {settings.budget.bytes} B",) if settings.budget.bytes else ()
    measured = SweepSettings(
        search="optuna", sampler_seed=settings.seed, trials=settings.trials, objectives=objectives, constraints=limits
    )
    if untimed := sorted(TIMED.intersection(measured.objectives)):
        raise BadInputError.of("objectives", rule="must not be latencies, which are measured when nothing else runs",
                               got=untimed[0], hint="time the models of the frontier with a sweep")  # fmt: skip
    return {
        "space": {"chain": [], "axes": {}, "train": {}, "deploy": "onnx"},
        "parent": None,
        "dataset": _judged_by(data, settings.validation_fraction, workspace).spec,
        "settings": measured.model_dump(mode="json"),
        "tuning": {
            "data": data.spec,
            "axes": {name: axis.to_json() if isinstance(axis, Range) else list(axis) for name, axis in axes.items()},
            "train": train,
            "settings": settings.model_dump(mode="json"),
        },
    }


def _judged_by(data: Dataset, share: float, workspace: Workspace) -> Dataset:
    """Return a dataset whose test split is the validation split of `data`, the one that training holds back."""
    kept, held = data.validation_split(share)
    return Dataset.from_arrays(
        data.x_train[kept], data.y_train[kept], data.x_train[held], data.y_train[held],
        name=safe_name(f"{data.name[:50]}-validation"), classes=data.classes, workspace=workspace,
        kind="images" if data.kind == "images" else "samples",  # which are kept as they are
    )  # fmt: skip


def _require_same(asked: dict[str, Any], handle: TrainingSearch) -> None:
    require_same(asked, handle)
    if asked["tuning"] != handle.folder.asked().get("tuning"):
        raise BadInputError.of(
            "name", rule="must not be taken by a search of another space or other settings", got=handle.name,
            hint="give it another name",
        )  # fmt: skip
