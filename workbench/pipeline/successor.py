"""The model that is to be followed, and the one that may follow it: made the same way, judged side by side."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, NamedTuple

from workbench.core.artifact import MANIFEST, Artifact
from workbench.core.errors import BadInputError
from workbench.core.records import Evaluation, GateLine, Verdict
from workbench.evaluate.variant import DEPLOYED, TIMED_SAMPLES
from workbench.pipeline.settings import accuracy_rules
from workbench.serve.spread import is_spread, verify_spread
from workbench.serve.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.core.events import Event
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset
    from workbench.evaluate.gate import Gate
    from workbench.pipeline.settings import RoadSettings

_STABLE = "stable"
_FOLLOWED = (*DEPLOYED, "saved_model", "tf_keras")


class Judged(NamedTuple):
    """A model and how it answers on the old test split and on the hard samples that were held back."""

    artifact: Artifact
    old: Evaluation
    hard: Evaluation | None


def served_now(name: str, workspace: Workspace) -> Artifact:
    """Return the version of a model that is stable, else the newest.

    Raises:
        BadInputError: The store holds no such model, or it was laid there without a manifest.
    """
    store = Store.of(workspace)
    versions = store.versions(name)
    if not versions:
        raise BadInputError.of("model", rule=f"must be in the store {store.base}", got=name,
                               hint="publish one, or give an Artifact")  # fmt: skip
    stable = store.labels(name).get(_STABLE)
    return Artifact.load(versions[stable if stable in versions else max(versions)])


def followed(artifact: Artifact, scratch: Path) -> Artifact:
    """Return a model so that it can be evaluated: a SavedModel of the store gets its directory back.

    Raises:
        BadInputError: Nothing of its format can be made anew.
        WorkspaceError: Its file was changed.
    """
    if artifact.format not in _FOLLOWED:
        raise BadInputError.of("model", rule=f"must be of format {', '.join(_FOLLOWED)} to be trained anew",
                               got=artifact.format, hint="give the model that it was made from")  # fmt: skip
    if not is_spread(artifact):
        return artifact.verify()
    verify_spread(artifact)
    scratch.mkdir(parents=True)
    shutil.copytree(artifact.folder, scratch / artifact.file, ignore=shutil.ignore_patterns(MANIFEST, "assets.extra"))
    shutil.copyfile(artifact.folder / MANIFEST, scratch / MANIFEST)
    return Artifact.load(scratch).verify(artifact.sha256)


def make_like(
    model: Artifact,
    trained: Artifact,
    road: RoadSettings,
    data: Dataset,
    workspace: Workspace,
    *,
    on_event: Callable[[Event], None],
) -> Artifact:
    """Prune and convert a trained model to what another one is.

    Raises:
        ParityError: The converted model does not answer like its source.
    """
    from workbench.compress.magnitude_pruning import MagnitudePruning
    from workbench.compress.run import compress
    from workbench.convert.run import convert

    if road.sparsity > 0:
        method = MagnitudePruning(sparsity=road.sparsity, seed=road.seed)
        trained = compress(trained, method, data, workspace=workspace, on_event=on_event)
    if model.format == trained.format:
        return trained
    return convert(
        trained, model.format, numeric=model.numeric, dataset=data, workspace=workspace, on_event=on_event
    )  # fmt: skip


def judged(artifact: Artifact, old: Dataset, hard: Dataset | None, workspace: Workspace) -> Judged:
    """Evaluate a model on the old test split and on the hard samples."""
    from workbench.evaluate.score import evaluate

    return Judged(
        artifact,
        evaluate(artifact, old, workspace=workspace),
        evaluate(artifact, hard, workspace=workspace) if hard is not None else None,
    )


def verdict_on(new: Judged, before: Judged, gate: Gate, data: Dataset, *, name: str, min_gain: float) -> Verdict:
    """Judge a model by the gate against the one before it, and by the hard samples.

    Args:
        new: The one that may follow.
        before: The one that it would follow.
        gate: What must hold on the old test split.
        data: The old dataset, whose samples it is timed on.
        name: Of the hard set.
        min_gain: Least gain on the hard samples.
    """
    from workbench.evaluate.latency import measure_latency
    from workbench.evaluate.sizes import measure_sizes

    deployed = new.artifact.format in DEPLOYED
    rules = gate if deployed else accuracy_rules(gate)
    timed = deployed and rules.max_p95_ms is not None
    samples = data.floats("test", slice(0, TIMED_SAMPLES))
    latency = measure_latency(new.artifact, samples) if timed else None
    lines = rules.check(new.old, before.old, measure_sizes(new.artifact), latency).lines
    lines = (*lines, _line(new.hard, before.hard, name, min_gain))
    return Verdict(passed=all(line.passed for line in lines), lines=lines)


def _line(new: Evaluation | None, before: Evaluation | None, name: str, min_gain: float) -> GateLine:
    if new is None or before is None:
        reason = f"The hard set {name} must hold back samples to measure by, got none; add at least three."
        return GateLine(rule="hard_set", limit=min_gain, value=None, passed=False, reason=reason)
    limit, value = min(before.accuracy.value + min_gain, 1.0), new.accuracy.value
    passed = value >= limit
    reason = (
        f"Right answers on {new.accuracy.total} held-back samples of {name} {'are' if passed else 'must be'} "
        f"at least {limit:.2%}{':' if passed else ', got'} {value:.2%}."
    ).replace("%", " %")
    return GateLine(rule="hard_set", limit=limit, value=value, passed=passed, reason=reason)
