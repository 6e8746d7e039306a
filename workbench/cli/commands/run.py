"""`workbench run`: the whole road."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer reads it from the annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.flags import with_flags
from workbench.cli.options import HOME, workspace_at
from workbench.evaluate.gate import Gate
from workbench.pipeline.settings import RoadSettings

if TYPE_CHECKING:
    from workbench.core.records import Published

app = typer.Typer(add_completion=False)


@app.command()
@with_flags(RoadSettings, Gate)
def run_road(  # noqa: PLR0913 - one a flag
    road: dict[str, Any],
    gate: dict[str, Any],
    *,
    config: Annotated[
        Path | None, typer.Option("--config", help="A run.yaml with road, gate and publish; flags win over it.")
    ] = None,
    publish: Annotated[
        str | None, typer.Option("--publish", help="Name in the model store that one of the models gets.")
    ] = None,
    publish_model: Annotated[
        str | None, typer.Option("--publish-model", help="Which: smallest, or as tflite/int8. (default: smallest)")
    ] = None,
    publish_label: Annotated[
        list[str] | None, typer.Option("--publish-label", help="Label that means it from then on, such as canary.")
    ] = None,
    print_schema: Annotated[
        bool, typer.Option("--print-schema", help="Print the JSON schema of run.yaml and end.")
    ] = False,
    print_config: Annotated[
        bool, typer.Option("--print-config", help="Print what file and flags say together, as run.yaml, and end.")
    ] = False,
    home: HOME = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON and nothing else.")] = False,
) -> None:
    """Go the whole road: train, gate, compress, convert, serve, watch; then a table and an HTML report."""
    from workbench.pipeline.config import read_config, run_schema

    if print_schema:
        typer.echo(json.dumps(run_schema(), indent=2, ensure_ascii=False))
        return
    to_publish = {"name": publish, "model": publish_model, "labels": tuple(publish_label or ()) or None}
    said = {"publish": {key: value for key, value in to_publish.items() if value is not None}}
    wanted = read_config(config, road=road, gate=gate, **said)
    if print_config:
        typer.echo(wanted.to_yaml(), nl=False)
        return

    from workbench.pipeline.road import run
    from workbench.report.road import write_report
    from workbench.report.terminal import RoadProgress, print_road

    workspace = workspace_at(home)
    with RoadProgress(quiet=as_json) as progress:
        report = run(
            wanted.road, gate=wanted.gate, publish=wanted.publish, workspace=workspace, on_event=progress.show
        )  # fmt: skip
    page = write_report(report, workspace.run(report.run) / "result" / "report.html")
    if as_json:
        typer.echo(json.dumps({**report.to_json(), "report": str(page)}))
    else:
        print_road(report, page)
        _say_published(report.published)
    raise typer.Exit(0 if report.verdict.passed else 1)


def _say_published(done: Published | None) -> None:
    if done is not None:
        labels = f" ({', '.join(done.labels)})" if done.labels else ""
        typer.echo(f"store  version {done.version} of {done.name}{labels}")
