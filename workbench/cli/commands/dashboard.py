"""`workbench dashboard`: the panels in a browser."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.cli.options import HOME, workspace_at
from workbench.core.errors import BadInputError

app = typer.Typer(add_completion=False)


@app.command()
def dashboard(
    name: Annotated[
        str, typer.Argument(help="training, classroom, compression_lab, serving_desk or workshop.", show_default=True)
    ] = "training",
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; another one where it is in use.")] = 8866,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser, if there is one.")] = True,
    share: Annotated[
        str | None, typer.Option(help="Let others in: the address to listen on, such as 0.0.0.0; viewers only look.")
    ] = None,
    pages: Annotated[int, typer.Option(min=1, max=1000, help="So many pages may be open at once.")] = 20,
    home: HOME = None,
) -> None:
    """Start the job cluster and a Voila dashboard, print its URL; Ctrl-C ends them."""
    from workbench.dashboards.server import launch

    if share is not None and share.startswith("-"):
        raise BadInputError.of(
            "share", rule="must be the address to listen on", got=share, hint="for instance --share 0.0.0.0"
        )
    launch(workspace_at(home), port=port, open_browser=browser, dashboard=name, share=share, most_pages=pages)
