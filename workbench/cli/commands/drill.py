"""`workbench drill`: cause an incident on purpose, and watch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.flags import with_flags
from workbench.cli.options import HOME, workspace_at
from workbench.core.records import DrillMoment
from workbench.pipeline.drill.settings import DrillSettings

if TYPE_CHECKING:
    from workbench.core.events import Event

app = typer.Typer(add_completion=False)


@app.command()
@with_flags(DrillSettings)
def drill(
    settings: dict[str, Any],
    fault: Annotated[
        list[str] | None, typer.Argument(help="What goes wrong, one after the other; none lists what can.")
    ] = None,
    *,
    home: HOME = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON array of reports and nothing else.")] = False,
) -> None:
    """Cause an incident on a server of its own: see when it is noticed, what is done, and when all is well again."""
    from workbench.pipeline.drill.faults.base import faults
    from workbench.pipeline.drill.verb import drill as play

    if not fault:
        for name in faults.names():
            typer.echo(f"{name:<14} {faults.get(name).title}")
        return
    asked, reports = DrillSettings.parse(settings), []
    for name in fault:
        faults.get(name)
    for name in fault:
        report = play(name, settings=asked, workspace=workspace_at(home), on_event=None if as_json else _show)
        reports.append(report)
        if not as_json:
            typer.echo(f"\n{report.summary}\n")
    if as_json:
        typer.echo(json.dumps([report.to_json() for report in reports]))
    raise typer.Exit(0 if all(report.passed for report in reports) else 1)


def _show(event: Event) -> None:
    if event.type == "step":
        typer.echo(f"{event.data['step']}: {event.data['text']}", err=True)
    elif event.type == "moment":
        typer.echo(str(DrillMoment(**event.data)))
