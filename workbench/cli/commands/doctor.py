"""`workbench doctor`: what works here, and what mends the rest."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from workbench.cli.options import HOME, workspace_at

app = typer.Typer(add_completion=False)


@app.command()
def doctor(
    *,
    home: HOME = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Look at the machine and the installation; exit code 1 where packages contradict each other or are missing."""
    from workbench.pipeline.doctor import doctor as examine
    from workbench.report.environment import print_environment

    found = examine(workspace_at(home))
    if as_json:
        typer.echo(json.dumps(found.to_json()))
    else:
        print_environment(found)
    raise typer.Exit(0 if found.healthy else 1)
