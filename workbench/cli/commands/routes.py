"""`workbench routes`: the map of formats of a model."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer reads it
from typing import Annotated

import typer

from workbench.cli.options import HOME, workspace_at

app = typer.Typer(add_completion=False)


@app.command()
def routes(
    artifact: Annotated[Path | None, typer.Argument(help="Folder of the model; without it: all edges here.")] = None,
    *,
    run: Annotated[bool, typer.Option("--run", help="Go every open edge and show how it went.")] = False,
    further: Annotated[bool, typer.Option("--further", help="Also from what the model can become.")] = False,
    dataset: Annotated[str | None, typer.Option(help="Data for --run. (default: what the model was made with)")] = None,
    home: HOME = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """List where a model can go from here, with which program, or why not; and how what was tried went."""
    from workbench.convert.routes import routes as find
    from workbench.convert.routes import try_routes
    from workbench.core.artifact import Artifact
    from workbench.report.formats import print_routes

    workspace = workspace_at(home)
    model = None if artifact is None else Artifact.load(artifact)
    if model is not None and run:
        found = try_routes(model, dataset=dataset, further=further, workspace=workspace)
    else:
        found = find(model, workspace=workspace)
    if as_json:
        typer.echo(json.dumps(found.to_json()))
    else:
        print_routes(found, further=further)
