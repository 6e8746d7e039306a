"""`workbench pause`: let a run rest."""

from __future__ import annotations

import typer

from workbench.cli.options import HOME, RUN, workspace_at

app = typer.Typer(add_completion=False)


@app.command()
def pause(run: RUN, *, home: HOME = None) -> None:
    """Let a training end after the epoch that is under way, so that nothing is lost; `workbench resume` goes on."""
    from workbench.jobs import attach

    job = attach(run, workspace_at(home))
    job.pause()
    typer.echo(f"{job.id} is asked to pause after its epoch.")
