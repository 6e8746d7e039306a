"""`workbench load`: how a server does when it is asked a lot."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer reads it
from typing import Annotated, Any

import typer

from workbench.cli.flags import with_flags
from workbench.core.errors import BadInputError
from workbench.serve.load.settings import LoadSettings

app = typer.Typer(add_completion=False)


@app.command()
@with_flags(LoadSettings)
def load(
    settings: dict[str, Any],
    url: Annotated[
        str, typer.Argument(help="http://host:port, or http://host:port/v2 for the Open Inference Protocol.")
    ],
    *,
    model: Annotated[str, typer.Option("--model", "-m", help="Model name.")] = "model",
    samples: Annotated[
        Path | None, typer.Option(help="Array (n, …) in an .npy file. (default: random ones of the model's shape)")
    ] = None,
    api_key: Annotated[
        str | None, typer.Option(envvar="WORKBENCH_API_KEY", help="Key that the server asks for.", show_envvar=True)
    ] = None,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Ask a server that is not on this machine; it must be yours.")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="HTML file to write.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Ask a served model as fast as it answers, or so many times a second, and show how late the answers came."""
    from workbench.report.load import print_load, write_load_report
    from workbench.serve.load import load as ask

    arrays = None if samples is None else _read(samples)
    found = ask(url, model, arrays, api_key=api_key, allow_remote=allow_remote, **settings)
    if report is not None:
        write_load_report(found, report.absolute())
    if as_json:
        typer.echo(json.dumps(found.to_json()))
        return
    print_load(found)
    if report is not None:
        typer.echo(f"report  {report}")


def _read(path: Path) -> Any:
    import numpy as np

    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise BadInputError.of("samples", rule="must be an .npy file of numbers", got=str(path)) from error
