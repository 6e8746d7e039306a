"""One gradual pruning that serves many sparsities: a snapshot at each level instead of a fine-tuning for each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.compress.learnable import require_learnable
from workbench.compress.magnitude_pruning import MagnitudePruning
from workbench.compress.prunable import prunable_kernels, prune_layers, sizes
from workbench.compress.reached import kernels_of
from workbench.compress.timetable import Timetable
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.evaluate.runtimes.tf_keras import load_model

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from workbench.core.events import Event
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset
    from workbench.jobs import Job
    from workbench.jobs.stage import StageContext

STAGE = "workbench.compress.trajectory:run"


def prune_along(
    artifact: Artifact,
    sparsities: Sequence[float],
    method: MagnitudePruning,
    dataset: Dataset,
    *,
    workspace: Workspace | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> dict[float, Artifact]:
    """Prune once, ever further, and return a snapshot at each sparsity.

    The fine-tuning's epochs are divided among the levels, the more to one the less it leaves (1 / (1 − sparsity)). At
    each the network is pruned on from the level before, recovers, and the weights of the last steps are averaged
    (Izmailov et al., "Averaging weights leads to wider optima and better generalization", 2018), which stands in for a
    learning rate that sinks.

    Args:
        artifact: A `tf_keras` model.
        sparsities: Levels in [0, 1), any order; doubles count once.
        method: How to prune; its own sparsity, schedule and ramp are not used.
        dataset: What to fine-tune on.
        workspace: Where the job runs; None is the default one.
        on_event: Called with each event of the job.

    Raises:
        BadInputError: There is no level, one is out of range, or the model cannot be pruned.
    """
    from workbench.jobs import finish

    job = start_trajectory(artifact, sparsities, method, dataset, workspace=workspace)
    finish(job, on_event=on_event)
    return snapshots(job)


def start_trajectory(
    artifact: Artifact,
    sparsities: Sequence[float],
    method: MagnitudePruning,
    dataset: Dataset,
    *,
    workspace: Workspace | None = None,
) -> Job:
    """Begin what `prune_along` does and return its job; `snapshots` reads what it made.

    Raises:
        BadInputError: There is no level, or one is out of range.
    """
    from workbench.jobs import submit

    if not sparsities:
        raise BadInputError.of("sparsities", rule="must be at least one level", got=list(sparsities))
    levels = sorted({method.replace(sparsity=level).sparsity for level in sparsities})
    artifact.verify()
    request = {
        "artifact": str(artifact.folder),
        "sha256": artifact.sha256,
        "dataset": dataset.spec,
        "sparsities": levels,
        "settings": method.replace(sparsity=levels[-1]).model_dump(mode="json"),
    }
    return submit(STAGE, request, kind="trajectory", workspace=workspace)


def snapshots(job: Job) -> dict[float, Artifact]:
    """Return the artifact of each level of an ended trajectory."""
    return {float(level): Artifact.load(job.result / name) for level, name in job.value()["levels"]}


def run(context: StageContext) -> dict[str, Any]:
    """Prune along the levels in a job; returns pairs of level and folder name as `levels`."""
    from workbench.datasets import Dataset
    from workbench.train.loop import learn, seed_everything

    method = MagnitudePruning.parse(context.settings["settings"])
    levels = [float(level) for level in context.settings["sparsities"]]
    artifact = Artifact.load(context.settings["artifact"]).verify(context.settings["sha256"])
    data = Dataset.open_spec(context.settings["dataset"], context.workspace)
    seed_everything(method.seed)
    model, plain = load_model(artifact), load_model(artifact)
    require_learnable(model, data)
    before = kernels_of(model)
    learning = method.learning(data)
    steps = learning.epochs * math.ceil(data.train_size / learning.batch_size)
    timetable = Timetable.over(steps, levels)
    kernels = prunable_kernels(model)
    by_layer = [method.replace(sparsity=level).levels(kernels) for level in levels]
    wrapped = prune_layers(
        model, {name: _wrapper([each[name] for each in by_layer], timetable) for name in by_layer[0]}
    )
    names = [f"level-{number + 1}" for number in range(len(levels))]

    def keep(number: int, weights: list[NDArray[Any]]) -> None:
        plain.set_weights(weights)
        at_level = method.replace(sparsity=levels[number])
        facts = {
            "sparsity_asked": levels[number],
            "levels": by_layer[number],
            "prunable": sizes(kernels),
            "trajectory": levels,
        }
        at_level.keep(plain, before, artifact, data, context, facts=facts, folder=context.result / names[number])

    learn(
        wrapped, data, learning, context,
        label=f"pruning along {len(levels)} levels", lesson=method.lesson(artifact),
        callbacks=_callbacks(timetable, keep),
    )  # fmt: skip
    return {"levels": list(zip(levels, names, strict=True))}


def _wrapper(levels: list[float], timetable: Timetable) -> Callable[[Any], Any]:
    """Return what wraps a layer with a schedule that climbs from level to level, cubically each time."""
    import tensorflow as tf
    from tensorflow_model_optimization.sparsity import keras as sparsity

    starts, climbs, frequencies = zip(
        *((each.start, each.climb, each.frequency) for each in timetable.stretches), strict=True
    )

    class Stairs(sparsity.PruningSchedule):  # type: ignore[misc]
        def __call__(self, step: Any) -> tuple[Any, Any]:
            step = tf.cast(step, tf.int32)
            number = tf.searchsorted(tf.constant(starts), tf.reshape(step, [1]), side="right")[0] - 1
            within = step - tf.gather(starts, number)
            climb = tf.gather(climbs, number)
            before = tf.gather(tf.constant([0.0, *levels[:-1]], tf.float32), number)
            after = tf.gather(tf.constant(levels, tf.float32), number)
            left = 1 - tf.minimum(tf.cast(within / climb, tf.float32), 1.0)
            looks = (within <= climb) & (within % tf.gather(frequencies, number) == 0)
            return looks, after + (before - after) * left**3

        def get_config(self) -> dict[str, Any]:
            return {"class_name": type(self).__name__, "config": {}}

    return lambda layer: sparsity.prune_low_magnitude(layer, pruning_schedule=Stairs())


def _callbacks(timetable: Timetable, keep: Callable[[int, list[NDArray[Any]]], None]) -> list[Any]:
    from tensorflow_model_optimization.sparsity import keras as sparsity
    from tf_keras.callbacks import Callback

    class Snapshots(Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self._supports_tf_logs = True
            self._sum: list[NDArray[np.float64]] = []
            self._count = 0

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            del batch, logs
            step = int(self.model.optimizer.iterations) - 1
            number = timetable.level_at(step)
            if number is None or step < timetable.stretches[number].end - timetable.stretches[number].averaged:
                self._sum, self._count = [], 0
                return
            weights = _plain_weights(self.model)
            self._sum = [old + new for old, new in zip(self._sum, weights, strict=True)] if self._count else weights
            self._count += 1
            if step == timetable.stretches[number].end - 1:
                keep(number, [each / self._count for each in self._sum])
                self._sum, self._count = [], 0

    return [sparsity.UpdatePruningStep(), Snapshots()]


def _plain_weights(model: Any) -> list[NDArray[np.float64]]:
    """Return the weights as the unwrapped model orders them, masked."""
    found = []
    for layer in model.layers:
        masks = {id(weight): mask for weight, mask, _ in getattr(layer, "pruning_vars", ())}
        for weight in getattr(layer, "layer", layer).weights:
            value = weight.numpy().astype(np.float64)
            found.append(value * masks[id(weight)].numpy() if id(weight) in masks else value)
    return found
