"""`workbench runs`: the runs of a workspace."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.cli.options import HOME, workspace_at

app = typer.Typer(add_completion=False)


@app.command()
def runs(
    *,
    kind: Annotated[str | None, typer.Option(help="Only runs of this kind: train, convert, road, …")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many to list, newest first.")] = 20,
    home: HOME = None,
) -> None:
    """List runs and how they stand, in a word such as running, paused or done; no probes, unless asked for."""
    from workbench.jobs import jobs

    # That a file was opened elsewhere first is nothing that anybody asked for.
    shown = [job for job in jobs(workspace_at(home), kind) if kind is not None or job.kind != "probe"]
    for job in shown[:limit]:
        typer.echo(f"{job.state:<10}{job.id}")
