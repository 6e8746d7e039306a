"""`workbench stop`: end the job cluster, or servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.options import HOME, workspace_at

if TYPE_CHECKING:
    from workbench.core.workspace import Workspace

app = typer.Typer(add_completion=False)


@app.command()
def stop(
    server: Annotated[
        str | None, typer.Argument(help="A server's model name or run: only that one is ended, whoever started it.")
    ] = None,
    *,
    home: HOME = None,
) -> None:
    """End the workspace's job cluster (what runs in it can be resumed) and the servers that were told to stay."""
    from workbench.jobs import stop_cluster
    from workbench.serve.sandbox import running

    workspace = workspace_at(home)
    if server is not None:
        _end(server, workspace)
        return
    for folder in running(workspace, kept=True):
        _end(folder.name, workspace)
    typer.echo("The job cluster is ended." if stop_cluster(workspace) else "No job cluster runs.")


def _end(server: str, workspace: Workspace) -> None:
    from workbench.serve.sandbox import attach_server

    found = attach_server(server, workspace)
    found.stop()
    typer.echo(f"The server of {found.name} is ended.")
