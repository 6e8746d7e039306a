"""`workbench diff`: what differs between two models."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer reads it
from typing import Annotated

import typer

from workbench.cli.options import HOME, workspace_at

app = typer.Typer(add_completion=False)


@app.command()
def diff(
    before: Annotated[Path, typer.Argument(metavar="A", help="Folder of the one model.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="Folder of the other; its format may be another one.")],
    *,
    every: Annotated[bool, typer.Option("--all", help="Show what is the same as well.")] = False,
    home: HOME = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Compare two models node by node and weight by weight: what was added, removed, fused, quantised or pruned."""
    from workbench.core.artifact import Artifact
    from workbench.evaluate.diff import diff as compare
    from workbench.report.diff import print_diff

    workspace_at(home)
    found = compare(Artifact.load(before), Artifact.load(after))
    if as_json:
        typer.echo(json.dumps({**found.to_json(), "sentences": found.sentences}))
    else:
        print_diff(found, every=every)
