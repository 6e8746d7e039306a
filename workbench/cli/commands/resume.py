"""`workbench resume`: go on with a run."""

from __future__ import annotations

import typer

from workbench.cli.options import HOME, RUN, workspace_at

app = typer.Typer(add_completion=False)


@app.command()
def resume(run: RUN, *, home: HOME = None) -> None:
    """Go on with a run that was lost, paused, cancelled or failed (a training from its last epoch) until its end."""
    from workbench.jobs import attach, finish

    job = attach(run, workspace_at(home)).resume()
    finish(job)
    typer.echo(f"{job.id} is done: {job.result}")
