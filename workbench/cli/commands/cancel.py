"""`workbench cancel`: end a run."""

from __future__ import annotations

import typer

from workbench.cli.options import HOME, RUN, workspace_at

app = typer.Typer(add_completion=False)


@app.command()
def cancel(run: RUN, *, home: HOME = None) -> None:
    """End a run that is queued or running; it can be resumed."""
    from workbench.jobs import attach

    job = attach(run, workspace_at(home))
    job.cancel()
    typer.echo(f"{job.id} is asked to end.")
