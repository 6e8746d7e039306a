"""The command line: a thin door to the same functions that Python users call.

Exit codes: 0 the gate passed, 1 a gate or parity check failed, 2 bad input, 3 a job or server failed, 130 interrupted.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.core.errors import WorkbenchError
from workbench.core.settings import FieldSpec, Settings, describe
from workbench.core.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.sweep.handle import Sweep

_INTERRUPTED = 130

app = typer.Typer(
    name="workbench",
    help="The last mile of deep learning: train, gate, compress, convert, serve and watch, measured.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _version(*, asked: bool) -> None:
    if asked:
        from workbench import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=lambda value: _version(asked=value), is_eager=True)
    ] = False,
) -> None:
    pass


def with_flags(*groups: type[Settings]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command one flag for every declared setting of the groups; what was not given stays out.

    The command receives the given values as one dictionary a group, in the order of the groups.
    """
    fields = [describe(group) for group in groups]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(command, eval_str=True).parameters.values())[len(groups) :]

        def door(**values: Any) -> None:
            given = [{spec.name: values.pop(spec.name) for spec in specs} for specs in fields]
            given = [{name: value for name, value in group.items() if value is not None} for group in given]
            command(*given, **values)

        # What is given by place comes before what is given by name.
        every = sorted([*(_flag(spec) for specs in fields for spec in specs), *own], key=lambda each: each.kind)
        door.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
        door.__annotations__ = {p.name: p.annotation for p in every}
        door.__name__, door.__doc__ = command.__name__, command.__doc__
        return door

    return decorate


_TYPES: dict[str, type] = {"int": int, "float": float, "bool": bool, "choice": str, "text": str}


def _flag(spec: FieldSpec) -> inspect.Parameter:
    # Bounds are checked by the settings themselves, so that every door gives the same sentence.
    text = spec.description + (f" One of: {', '.join(map(str, spec.choices))}." if spec.choices else "")
    if spec.default is not None:
        text += f" (default: {spec.default})"
    option = typer.Option(f"--{spec.name.replace('_', '-')}", help=text, show_default=False)
    kind: Any = _TYPES[spec.kind]
    annotation = Annotated[kind | None, option]
    return inspect.Parameter(spec.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


HOME = Annotated[
    Path | None, typer.Option("--home", help="Workspace folder. (default: WORKBENCH_HOME, else ~/.workbench)")
]
RUN = Annotated[str, typer.Argument(help="Name of the run, as `workbench runs` lists it.")]


def _workspace(home: Path | None) -> Workspace:
    if home is not None:  # also where a traceback goes, and what started processes inherit
        os.environ["WORKBENCH_HOME"] = str(home.expanduser().absolute())
    return Workspace.default()


def _register_run() -> None:
    from workbench.evaluate.gate import Gate
    from workbench.pipeline.settings import RoadSettings

    @app.command("run")
    @with_flags(RoadSettings, Gate)
    def run_road(
        road: dict[str, Any],
        gate: dict[str, Any],
        *,
        home: HOME = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON and nothing else.")] = False,
    ) -> None:
        """Go the whole road: train, gate, compress, convert, serve, watch; then a table and an HTML report."""
        from workbench.pipeline.road import run
        from workbench.report.road import write_report
        from workbench.report.terminal import RoadProgress, print_road

        workspace = _workspace(home)
        settings = RoadSettings.parse(road)
        wanted = Gate.parse(gate) if gate else None
        with RoadProgress(quiet=as_json) as progress:
            report = run(settings, gate=wanted, workspace=workspace, on_event=progress.show)
        page = write_report(report, workspace.run(report.run) / "result" / "report.html")
        if as_json:
            typer.echo(json.dumps({**report.to_json(), "report": str(page)}))
        else:
            print_road(report, page)
        raise typer.Exit(0 if report.verdict.passed else 1)


@app.command()
def runs(
    *,
    kind: Annotated[str | None, typer.Option(help="Only runs of this kind: train, convert, road, …")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many to list, newest first.")] = 20,
    home: HOME = None,
) -> None:
    """List runs and how they stand: queued, running, done, failed, cancelled or lost."""
    from workbench.jobs import jobs

    for job in jobs(_workspace(home), kind)[:limit]:
        typer.echo(f"{job.state:<10}{job.id}")


@app.command()
def cancel(run: RUN, *, home: HOME = None) -> None:
    """End a run that is queued or running; it can be resumed."""
    from workbench.jobs import attach

    job = attach(run, _workspace(home))
    job.cancel()
    typer.echo(f"{job.id} is asked to end.")


@app.command()
def resume(run: RUN, *, home: HOME = None) -> None:
    """Go on with a run that was lost, cancelled or failed, a training from its last epoch, and wait for its end."""
    from workbench.jobs import attach, finish

    job = attach(run, _workspace(home)).resume()
    finish(job)
    typer.echo(f"{job.id} is done: {job.result}")


@app.command()
def stop(*, home: HOME = None) -> None:
    """End the workspace's job cluster; what runs in it can be resumed."""
    from workbench.jobs import stop_cluster

    typer.echo("The job cluster is ended." if stop_cluster(_workspace(home)) else "No job cluster runs.")


@app.command()
def dashboard(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; another one where it is in use.")] = 8866,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser, if there is one.")] = True,
    home: HOME = None,
) -> None:
    """Start the job cluster and the Voila dashboard, print its URL; Ctrl-C ends them."""
    from workbench.dashboards.server import launch

    launch(_workspace(home), port=port, open_browser=browser)


sweeps = typer.Typer(name="sweep", help="Measure a whole space of settings and show its frontier.",
                     no_args_is_help=True)  # fmt: skip
app.add_typer(sweeps)
SWEEP = Annotated[str, typer.Argument(help="Name of the sweep, as `workbench sweep list` lists it.")]
AS_JSON = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


def _register_sweep() -> None:
    from workbench.sweep.settings import SweepSettings

    @sweeps.command("run")
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

        workspace = _workspace(home)
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


@sweeps.command("list")
def list_sweeps(*, home: HOME = None) -> None:
    """List sweeps and how they stand: running, done, paused, cancelled, failed or lost."""
    from workbench.sweep.folder import sweep_folders

    for folder in sweep_folders(_workspace(home)):
        typer.echo(f"{folder.state:<10}{len(folder.points()):>6} points  {folder.name}")


@sweeps.command("show")
def show_sweep(name: SWEEP, *, home: HOME = None, as_json: AS_JSON = False) -> None:
    """Print a sweep's points and frontier, also while it runs."""
    _tell_sweep(_sweep(name, home), as_json=as_json)


@sweeps.command("pause")
def pause_sweep(name: SWEEP, *, home: HOME = None) -> None:
    """Let a running sweep finish what is under way and begin nothing new."""
    _sweep(name, home).pause()
    typer.echo(f"{name} is asked to pause.")


@sweeps.command("cancel")
def cancel_sweep(name: SWEEP, *, home: HOME = None) -> None:
    """End a running sweep's jobs now; finished points stay."""
    _sweep(name, home).cancel()
    typer.echo(f"{name} is asked to end.")


@sweeps.command("resume")
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


@sweeps.command("export")
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

    return attach_sweep(name, _workspace(home))


def _tell_sweep(found: Sweep, *, as_json: bool) -> None:
    from workbench.report.sweep import print_sweep

    if as_json:
        members = [point.label for point in found.frontier()]
        typer.echo(json.dumps({**json.loads(found.export("json")), "frontier": members}))
    else:
        print_sweep(found)


def main() -> None:
    """Run the command line; every error is one sentence, its traceback lies in the workspace."""
    try:
        _register_run()
        _register_sweep()
        app()
    except SystemExit as end:
        if end.code == _INTERRUPTED:  # typer's answer to Ctrl-C
            typer.echo("workbench: interrupted; `workbench runs` lists what can be resumed.", err=True)
        raise
    except WorkbenchError as error:
        typer.echo(f"workbench: {error}", err=True)
        sys.exit(error.exit_code)
    except Exception as error:  # noqa: BLE001 - the last door: one sentence, the rest into a file
        log = _keep_traceback()
        typer.echo(f"workbench: unexpected {type(error).__name__}: {error}; the traceback is in {log}.", err=True)
        sys.exit(3)


def _keep_traceback() -> str:
    text = traceback.format_exc()
    try:
        folder = Workspace.default().new_run("error")
        (folder / "stderr.log").write_text(text, encoding="utf-8")
    except Exception:  # noqa: BLE001 - a home that cannot be used, perhaps the very error that is told
        return text
    return str(folder / "stderr.log")
