"""Train a model: the verb people call and the stage that a job runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.artifact import Artifact
from workbench.core.workspace import Workspace, write_json
from workbench.datasets import Dataset, load_dataset
from workbench.train import recipes
from workbench.train.architectures.base import ARCHITECTURES, fitting
from workbench.train.loop import learn, seed_everything
from workbench.train.saving import save_model
from workbench.train.settings import TrainSettings

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from workbench.core.events import Event
    from workbench.core.records import LearningCurve
    from workbench.jobs.stage import StageContext

STAGE = "workbench.train.fit:run"
MODEL, CURVE = "model.keras", "curve.json"


def train(
    dataset: str | os.PathLike[str] | Dataset,
    recipe: str = "docs",
    *,
    workspace: Workspace | None = None,
    on_event: Callable[[Event], None] | None = None,
    **overrides: Any,
) -> Artifact:
    """Train in a job and return the model; what was trained before with the same settings is returned at once.

    Args:
        dataset: A name, path or `Dataset`, as `load_dataset` takes it.
        recipe: Name of the settings to begin with: `docs` or `best`.
        workspace: Where the run is kept.
        on_event: Called with each event: `batch`, `epoch`, `progress`, `note`, `state`; while a dataset is prepared
            first, with the progress of that.
        **overrides: Any field of `TrainSettings`, such as `architecture`, `epochs`, `seed`; None leaves the
            recipe's value.

    Returns:
        A `tf_keras` artifact (`model.keras`, without optimizer state), its curve beside it in `curve.json`.

    Raises:
        BadInputError: A setting or the data breaks a rule.
        JobCancelledError: Someone cancelled the job.
        JobPausedError: Someone paused it; `attach(run).resume()` goes on from the epoch it ended with.
        JobLostError: Its process was killed; `attach(run).resume()` goes on from the last epoch.
    """
    from workbench.jobs import finish, submit

    workspace = Workspace.of(workspace)
    data = load_dataset(dataset, workspace=workspace, on_event=_without_states(on_event))
    settings = train_settings(data, recipe, **overrides)
    job = submit(STAGE, settings, kind="train", workspace=workspace)
    finish(job, on_event=on_event)
    return Artifact.load(job.result)


def train_settings(dataset: Dataset, recipe: str = "docs", **overrides: Any) -> TrainSettings:
    """Return a recipe's settings for a dataset, some of them changed; None leaves the recipe's value.

    Where the samples are no images and the recipe's network is for images, it is the first that takes them.

    Raises:
        BadInputError: No such recipe or architecture, a value breaks its rule, or the network does not fit the samples.
    """
    plan = recipes.get(recipe)
    usual = plan.architecture if ARCHITECTURES.get(plan.architecture).takes(dataset.shape) else None
    values = {"architecture": usual or fitting(dataset.shape)[0], **plan.settings().model_dump()}
    values |= {name: value for name, value in overrides.items() if value is not None}
    settings = TrainSettings(**{**values, "dataset": dataset.spec, "recipe": recipe})
    settings.network.check(dataset.shape)
    return settings


def run(context: StageContext) -> dict[str, Any]:
    """Train one model; the stage behind `train`.

    Returns:
        `artifact`, the result's folder, and `curve`, a `LearningCurve` as JSON.
    """
    _, artifact, curve = fitted(context)
    return {"artifact": str(artifact.folder), "curve": curve.to_json()}


def fitted(context: StageContext) -> tuple[Any, Artifact, LearningCurve]:
    """Do what `run` does, and return the live tf_keras model too for more to be made of it in the same job."""
    settings = TrainSettings.parse(context.settings)
    dataset = Dataset.open_spec(settings.dataset, context.workspace)
    if dataset.note:
        context.emit("note", text=dataset.note)
    seed_everything(settings.seed)
    model = settings.network.build(dataset.shape, len(dataset.classes))
    curve = learn(model, dataset, settings, context, label=f"{settings.architecture}, {settings.recipe}")
    save_model(model, context.result / MODEL)
    write_json(context.result / CURVE, curve.to_json())
    artifact = Artifact.write(
        context.result,
        file=MODEL,
        name="baseline",
        format="tf_keras",
        numeric="float32",
        settings=settings.model_dump(mode="json"),
        metrics=_metrics(model, dataset, curve),
        seed=settings.seed,
    )
    return model, artifact, curve


def _without_states(on_event: Callable[[Event], None] | None) -> Callable[[Event], None] | None:
    # That the preparation is done must not look as if the training were.
    if on_event is None:
        return None
    return lambda event: on_event(event) if event.type != "state" else None


def _metrics(model: Any, dataset: Dataset, curve: LearningCurve) -> dict[str, Any]:
    kept = next(point for point in curve.points if point.epoch == curve.best_epoch)
    return {
        "parameters": int(model.count_params()),
        "epochs": len(curve.points),
        "seconds": sum(point.seconds for point in curve.points),
        **kept.model_dump(include={"loss", "accuracy", "val_loss", "val_accuracy"}),
        "classes": list(dataset.classes),
    }
