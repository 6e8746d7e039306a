"""`workbench key`: an API key for a server, made once."""

from __future__ import annotations

import json
from typing import Annotated

import typer

app = typer.Typer(add_completion=False)


@app.command()
def key(*, as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False) -> None:
    """Make an API key and print it, this once, with its SHA-256, which `workbench serve --api-key` takes.

    Nothing is kept. The client sends the key (`workbench load` reads it from WORKBENCH_API_KEY); the server knows its
    hash alone.
    """
    from workbench.serve.security import new_key

    made = new_key()
    if as_json:
        typer.echo(json.dumps(made._asdict()))
        return
    typer.echo(f"key     {made.key}")
    typer.echo(f"sha256  {made.sha256}")
    typer.echo("Keep the key, it is not shown again; `workbench serve MODEL --api-key SHA256` asks for it.", err=True)
