"""`workbench adopt`: bring in a model that was made elsewhere."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads it
from typing import Annotated, Literal

import typer

from workbench.cli.options import HOME, workspace_at

app = typer.Typer(add_completion=False)


@app.command()
def adopt(
    model: Annotated[Path, typer.Argument(help="A model file or SavedModel directory; its kind is told from content.")],
    *,
    trust: Annotated[
        bool, typer.Option("--trust", help="Run code that comes with it; only if you know its maker.")
    ] = False,
    signature: Annotated[str | None, typer.Option(help="Signature of a SavedModel. (default: serving_default)")] = None,
    layout: Annotated[
        Literal["channels_last", "keep"],
        typer.Option(help="Images of PyTorch: channels_last, as data here is, or keep."),
    ] = "channels_last",
    home: HOME = None,
) -> None:
    """Bring a model into the workspace and print its folder, which other commands take."""
    from workbench.convert.adopt import adopt as bring_in

    made = bring_in(model, trust, signature=signature, layout=layout, workspace=workspace_at(home))
    for lost in made.metrics.get("lost", ()):
        typer.echo(f"lost: {lost}", err=True)
    typer.echo(f"{made.label}: {made.folder}")
