"""`workbench retrain`: old data and a hard set, through the same gate."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from workbench.cli.flags import with_flags
from workbench.cli.options import HOME, workspace_at
from workbench.evaluate.gate import Gate
from workbench.pipeline.budget import RetrainBudget
from workbench.pipeline.retrain import RetrainSettings

app = typer.Typer(add_completion=False)


@app.command()
@with_flags(RetrainSettings, RetrainBudget, Gate)
def retrain_model(  # noqa: PLR0913 - one a flag
    settings: dict[str, Any],
    budget: dict[str, Any],
    gate: dict[str, Any],
    model: Annotated[str, typer.Argument(help="Name of a model in the store.")],
    *,
    dataset: Annotated[str, typer.Option(help="Name or path of the old data.")],
    hard: Annotated[str, typer.Option("--hard-set", help="Name of the hard set.")] = "hard",
    label: Annotated[str | None, typer.Option(help="Column of a .csv file that holds the classes.")] = None,
    publish_label: Annotated[
        list[str] | None, typer.Option("--publish-label", help="Label that means the new version, such as canary.")
    ] = None,
    home: HOME = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON and nothing else.")] = False,
) -> None:
    """Train a stored model anew on old data and a hard set; publish it if it passes, else end with 1."""
    from workbench.datasets import load_dataset
    from workbench.pipeline.retrain import retrain
    from workbench.report.terminal import RoadProgress

    workspace = workspace_at(home)
    if publish_label:
        settings["labels"] = tuple(publish_label)
    said: dict[str, Any] = {} if label is None else {"label": label}
    data = load_dataset(dataset, workspace=workspace, **said)
    with RoadProgress(quiet=as_json) as progress:
        report = retrain(
            model, data, hard, gate=Gate.parse(gate) if gate else None, settings=RetrainSettings.parse(settings),
            budget=RetrainBudget.parse(budget), workspace=workspace, on_event=progress.show,
        )  # fmt: skip
    if as_json:
        typer.echo(json.dumps(report.to_json()))
    else:
        typer.echo(str(report))
    raise typer.Exit(0 if report.verdict.passed else 1)
