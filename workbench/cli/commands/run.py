"""`workbench run`: the whole road."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from workbench.cli.flags import with_flags
from workbench.cli.options import HOME, workspace_at
from workbench.evaluate.gate import Gate
from workbench.pipeline.settings import RoadSettings

app = typer.Typer(add_completion=False)


@app.command()
@with_flags(RoadSettings, Gate)
def run_road(
    road: dict[str, Any],
    gate: dict[str, Any],
    *,
    home: HOME = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON and nothing else.")] = False,
) -> None:
    """Go the whole road: train, gate, compress, convert, serve, watch; then a table and an HTML report."""
    from workbench.pipeline.road import run
    from workbench.report.road import write_report
    from workbench.report.terminal import RoadProgress, print_road

    workspace = workspace_at(home)
    settings = RoadSettings.parse(road)
    wanted = Gate.parse(gate) if gate else None
    with RoadProgress(quiet=as_json) as progress:
        report = run(settings, gate=wanted, workspace=workspace, on_event=progress.show)
    page = write_report(report, workspace.run(report.run) / "result" / "report.html")
    if as_json:
        typer.echo(json.dumps({**report.to_json(), "report": str(page)}))
    else:
        print_road(report, page)
    raise typer.Exit(0 if report.verdict.passed else 1)
