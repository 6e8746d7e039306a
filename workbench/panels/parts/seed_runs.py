"""Several seeds: trainings that differ in their seed alone, so that one sees how much of a result is chance."""

from __future__ import annotations

import ast
import contextlib
import statistics
from datetime import datetime
from typing import TYPE_CHECKING, Any

from workbench.core.artifact import Artifact
from workbench.core.errors import WorkbenchError
from workbench.core.language import _
from workbench.jobs import Job

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.core.workspace import Workspace

_MOST_RUNS = 50
_SECONDS_TOGETHER = 60


def alike(job: Job, workspace: Workspace) -> list[Job]:
    """Return the newest trainings that were asked for with the same settings but for the seed, in order of seeds."""
    asked = _question(job)
    found: dict[int, Job] = {}
    for folder in workspace.list_runs("train")[:_MOST_RUNS]:
        with contextlib.suppress(WorkbenchError, OSError, KeyError, ValueError):
            other = Job(folder)
            if _question(other) == asked:
                found.setdefault(other.settings["seed"], other)
    found[job.settings["seed"]] = job
    return [found[seed] for seed in sorted(found)]


def asked_together(job: Job, runs: Sequence[Job]) -> list[Job]:
    """Return those of the runs that were asked for with this one, not on another day: who resumes one resumes these."""
    return [run for run in runs if abs((_asked(run) - _asked(job)).total_seconds()) < _SECONDS_TOGETHER]


def spread(runs: Sequence[Job]) -> str:
    """Say what the finished runs' validation accuracies have in common; empty for fewer than two."""
    known = [Artifact.load(job.result).metrics.get("val_accuracy") for job in runs if job.state == "done"]
    shares = [share for share in known if share is not None]
    if len(known) < 2:  # noqa: PLR2004 - one value has no spread
        return ""
    if len(shares) < len(known):
        return _("{n} seeds are done; with a validation split it is told how much they differ").format(n=len(known))
    return _("{n} seeds: validation accuracy {mean} % ± {deviation} (mean ± standard deviation)").format(
        n=len(shares), mean=f"{100 * statistics.mean(shares):.2f}", deviation=f"{100 * statistics.stdev(shares):.2f}"
    )


def call_for(call: str, seed: int, seeds: int) -> str:
    """Return the Python that trains: the call itself, or for several seeds the list of its models."""
    if seeds == 1:
        return f"model = {call}"
    return f"models = [{call.removesuffix(')')}, seed=seed) for seed in range({seed}, {seed + seeds})]"


def seeds_in(text: str) -> tuple[str, dict[str, Any]]:
    """Return the call in a list of models, for its first seed, and `seeds`; without a list the text as it is."""
    with contextlib.suppress(SyntaxError):
        for node in ast.walk(ast.parse(text)):
            match node:
                case ast.ListComp(
                    elt=ast.Call() as call,
                    generators=[
                        ast.comprehension(
                            target=ast.Name(id=name),
                            iter=ast.Call(
                                func=ast.Name(id="range"),
                                args=[ast.Constant(value=int(first)), ast.Constant(value=int(end))],
                            ),
                        )
                    ],
                ):
                    for word in call.keywords:
                        if isinstance(word.value, ast.Name) and word.value.id == name:
                            word.value = ast.Constant(first)
                    return ast.unparse(call), {"seeds": end - first}
    return text, {}


def _asked(job: Job) -> datetime:
    return datetime.strptime(job.id.split("-")[1], "%Y%m%dT%H%M%S%z")


def _question(job: Job) -> dict[str, Any]:
    return {name: value for name, value in job.settings.items() if name != "seed"}
