"""`workbench stop`: end the job cluster."""

from __future__ import annotations

import typer

from workbench.cli.options import HOME, workspace_at

app = typer.Typer(add_completion=False)


@app.command()
def stop(*, home: HOME = None) -> None:
    """End the workspace's job cluster; what runs in it can be resumed."""
    from workbench.jobs import stop_cluster

    typer.echo("The job cluster is ended." if stop_cluster(workspace_at(home)) else "No job cluster runs.")
