"""Train until the gate is passed, a bounded number of times: the flow chart's way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.core.records import Evaluation, LearningCurve, Verdict
from workbench.pipeline.settings import training_rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.core.artifact import Artifact
    from workbench.core.events import Event
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset
    from workbench.evaluate.gate import Gate
    from workbench.pipeline.settings import RoadSettings

_STRONGER = "best"


@dataclass(frozen=True)
class Trained:
    """The last attempt: its model, how it was trained and what the gate said of it."""

    artifact: Artifact
    curve: LearningCurve
    evaluation: Evaluation
    verdict: Verdict
    recipe: str
    attempts: int


@dataclass(frozen=True)
class Attempt:
    """One way to train; the next one is stronger: more epochs first, then the better recipe."""

    recipe: str
    epochs: int | None
    number: int = 1

    def stronger(self, epochs_used: int) -> Attempt:
        """Return the attempt that follows when the gate said no."""
        if self.recipe != _STRONGER and self.number > 1:
            return Attempt(_STRONGER, None, self.number + 1)
        return Attempt(self.recipe, 2 * epochs_used, self.number + 1)


def train_until_passed(
    settings: RoadSettings,
    data: Dataset,
    gate: Gate,
    workspace: Workspace,
    *,
    on_event: Callable[[Event], None],
    note: Callable[[str], None],
) -> Trained:
    """Train and evaluate until the gate passes or the attempts are used up.

    Args:
        settings: Recipe, epochs, seed and number of attempts.
        data: What to train and test on.
        gate: Judges the trained model by itself, before anything is compressed.
        workspace: Where the jobs run.
        on_event: Called with every event of the training jobs.
        note: Called with one sentence when the road goes back to training.

    Returns:
        The attempt that passed, or the last one with its failing verdict.
    """
    attempt = Attempt(settings.recipe, settings.epochs)
    while True:
        trained = _try(attempt, settings, data, training_rules(gate), workspace, on_event=on_event)
        if trained.verdict.passed or attempt.number >= settings.attempts:
            return trained
        attempt = attempt.stronger(len(trained.curve.points))
        wish = f"{attempt.epochs} epochs" if attempt.epochs else "its own epochs"
        note(f"{trained.verdict.reasons} Back to training with recipe {attempt.recipe}, {wish}.")


def _try(
    attempt: Attempt,
    settings: RoadSettings,
    data: Dataset,
    gate: Gate,
    workspace: Workspace,
    *,
    on_event: Callable[[Event], None],
) -> Trained:
    from workbench.evaluate.score import evaluate
    from workbench.train.fit import train

    artifact = train(
        data,
        recipe=attempt.recipe,
        architecture=settings.architecture,
        epochs=attempt.epochs,
        seed=settings.seed,
        workspace=workspace,
        on_event=on_event,
    )
    curve = LearningCurve.model_validate_json((artifact.folder / "curve.json").read_text(encoding="utf-8"))
    evaluation = evaluate(artifact, data, workspace=workspace)
    verdict = gate.check(evaluation)
    return Trained(artifact, curve, evaluation, verdict, attempt.recipe, attempt.number)
