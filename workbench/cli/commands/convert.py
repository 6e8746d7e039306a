"""`workbench convert`: a model in another format."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads it
from typing import Annotated, Any

import typer

from workbench.cli.flags import with_flags
from workbench.cli.options import HOME, workspace_at
from workbench.convert.settings import ConvertSettings

app = typer.Typer(add_completion=False)


@app.command()
@with_flags(ConvertSettings)
def convert(
    settings: dict[str, Any],
    artifact: Annotated[Path, typer.Argument(help="Folder of the model; bring one in with `workbench adopt`.")],
    *,
    dataset: Annotated[
        str | None, typer.Option(help="Data to compare on. (default: what the model was made with)")
    ] = None,
    representative: Annotated[str | None, typer.Option(help="Data for int8 ranges. (default: the same)")] = None,
    home: HOME = None,
) -> None:
    """Convert a model by the shortest way, compare each step with the one before, and print the folder."""
    from workbench.convert.routes import convert_along
    from workbench.core.artifact import Artifact
    from workbench.core.errors import BadInputError

    if "format" not in settings:
        raise BadInputError.of("format", rule="must be given", got=None, hint="for example --format onnx")
    made = convert_along(
        Artifact.load(artifact), settings.pop("format"), dataset=dataset, representative=representative,
        workspace=workspace_at(home), **settings,
    )  # fmt: skip
    parity = made.metrics["parity"]
    typer.echo(f"{made.label}: {made.folder}")
    typer.echo(
        f"{made.sizes().raw:,} bytes; labels equal {parity['agreement']:.1%} of {parity['samples']:,}, "
        f"outputs off by at most {parity['max_abs']:.2g}"
    )
