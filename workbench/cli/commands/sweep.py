"""`workbench sweep …`: run sweeps, look at them, steer them."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer reads it from the annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.flags import with_flags
from workbench.cli.options import HOME, workspace_at
from workbench.sweep.settings import SweepSettings

if TYPE_CHECKING:
    from workbench.sweep.handle import Sweep

SWEEP = Annotated[str, typer.Argument(help="Name of the sweep, as `workbench sweep list` lists it.")]
AS_JSON = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]

app = typer.Typer(
    help="Measure a whole space of settings and show its frontier.", no_args_is_help=True, add_completion=False
)


@app.command("run")
@with_flags(SweepSettings)
def run_sweep(  # noqa: PLR0913 - one a flag
    settings: dict[str, Any],
    space: Annotated[Path | None, typer.Argument(help="A JSON or TOML file with chain (or choice), axes …")] = None,
    *,
    dataset: Annotated[str, typer.Option(help="Name or path of the data.")],
    artifact: Annotated[Path | None, typer.Option(help="Folder of the parent; without it it is trained.")] = None,
    method: Annotated[list[str] | None, typer.Option(help="A step of the chain, in order.")] = None,
    axis: Annotated[list[str] | None, typer.Option(help="step.setting=value,value,…")] = None,
    objective: Annotated[list[str] | None, typer.Option(help="Metric of the frontier.")] = None,
    constraint: Annotated[list[str] | None, typer.Option(help='Limit such as "gzip <= 40 kB".')] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Repeat each point with this seed.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the sweep's folder.")] = None,
    workers: Annotated[int | None, typer.Option(help="Jobs under way at once. (default: one a core)")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Yes to more than 1,000 points.")] = False,
    home: HOME = None,
    as_json: AS_JSON = False,
) -> None:
    """Sweep a space, print points and frontier; exit code 1 where no point keeps the constraints.

    One of the same name is gone on with.
    """
    from workbench.core.artifact import Artifact
    from workbench.report.sweep import SweepProgress
    from workbench.sweep.reading import read_space
    from workbench.sweep.run import sweep

    workspace = workspace_at(home)
    lists = {"objectives": objective, "constraints": constraint, "seeds": seed}
    settings |= {key: tuple(each) for key, each in lists.items() if each}
    parent = None if artifact is None else Artifact.load(artifact)
    wanted = read_space(space, method or [], axis or [], trained=parent is None)
    with SweepProgress(quiet=as_json) as progress:
        found = sweep(
            wanted, parent, dataset, name=name, workers=workers, confirm=yes, workspace=workspace,
            on_event=progress.show, **settings,
        )  # fmt: skip
    _tell_sweep(found, as_json=as_json)
    raise typer.Exit(1 if found.nothing_meets() else 0)


@app.command("list")
def list_sweeps(*, home: HOME = None) -> None:
    """List sweeps and how they stand: running, done, paused, cancelled, failed or lost."""
    from workbench.sweep.folder import sweep_folders

    for folder in sweep_folders(workspace_at(home)):
        typer.echo(f"{folder.state:<10}{len(folder.points()):>6} points  {folder.name}")


@app.command("show")
def show_sweep(name: SWEEP, *, home: HOME = None, as_json: AS_JSON = False) -> None:
    """Print a sweep's points and frontier, also while it runs."""
    _tell_sweep(_sweep(name, home), as_json=as_json)


@app.command("pause")
def pause_sweep(name: SWEEP, *, home: HOME = None) -> None:
    """Let a running sweep finish what is under way and begin nothing new."""
    _sweep(name, home).pause()
    typer.echo(f"{name} is asked to pause.")


@app.command("cancel")
def cancel_sweep(name: SWEEP, *, home: HOME = None) -> None:
    """End a running sweep's jobs now; finished points stay."""
    _sweep(name, home).cancel()
    typer.echo(f"{name} is asked to end.")


@app.command("resume")
def resume_sweep(
    name: SWEEP,
    *,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try failed points again.")] = False,
    workers: Annotated[int | None, typer.Option(help="Jobs under way at once. (default: one a core)")] = None,
    home: HOME = None,
    as_json: AS_JSON = False,
) -> None:
    """Go on with a sweep that was paused, cancelled or lost; nothing that is finished is made again."""
    from workbench.report.sweep import SweepProgress

    found = _sweep(name, home)
    with SweepProgress(quiet=as_json) as progress:
        found.resume(workers=workers, retry_failed=retry_failed, on_event=progress.show)
    _tell_sweep(found, as_json=as_json)
    raise typer.Exit(1 if found.nothing_meets() else 0)


@app.command("export")
def export_sweep(
    name: SWEEP,
    *,
    form: Annotated[str, typer.Option("--format", help="csv, json, or py: the program that reproduces it.")] = "csv",
    output: Annotated[Path | None, typer.Option(help="File to write; without it, it is printed.")] = None,
    home: HOME = None,
) -> None:
    """Write a sweep's points as CSV or JSON, or the Python that reproduces it."""
    wanted: Any = form  # it is checked where it is used, for every door
    text = _sweep(name, home).export(wanted, output)
    if output is None:
        typer.echo(text, nl=False)


def _sweep(name: str, home: Path | None) -> Sweep:
    from workbench.sweep.run import attach_sweep

    return attach_sweep(name, workspace_at(home))


def _tell_sweep(found: Sweep, *, as_json: bool) -> None:
    from workbench.report.sweep import print_sweep

    if as_json:
        members = [point.label for point in found.frontier()]
        typer.echo(json.dumps({**json.loads(found.export("json")), "frontier": members}))
    else:
        print_sweep(found)
