"""`workbench monitor`: drift, errors and latency of a server, and who is called."""

from __future__ import annotations

import json
import shlex
import threading
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.flags import with_flags
from workbench.cli.options import HOME, workspace_at
from workbench.core.errors import BadInputError
from workbench.monitor.drift.settings import DriftSettings
from workbench.monitor.settings import MonitorSettings
from workbench.pipeline.budget import RetrainBudget
from workbench.pipeline.reactions import ReactionBounds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.core.records import MonitorReport
    from workbench.core.records.loop import LoopEvent
    from workbench.core.workspace import Workspace
    from workbench.monitor.alarms import Target
    from workbench.monitor.drift import Reference
    from workbench.monitor.watch import Monitor
    from workbench.pipeline.loop import Loop
    from workbench.serve.handle import Sandbox

app = typer.Typer(add_completion=False)


@app.command()
@with_flags(MonitorSettings, DriftSettings, ReactionBounds, RetrainBudget)
def monitor(  # noqa: PLR0913 - one a flag
    settings: dict[str, Any],
    drift: dict[str, Any],
    bounds: dict[str, Any],
    budget: dict[str, Any],
    server: Annotated[
        str, typer.Argument(help="A server's model name, run or run folder; a URL, of which counters are watched.")
    ],
    *,
    reference: Annotated[Path | None, typer.Option(help="File with what requests are compared with.")] = None,
    artifact: Annotated[
        Path | None, typer.Option(help="Folder of the model, to make the reference of it and --dataset.")
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="What the model was trained on.")] = None,
    rule: Annotated[
        list[str] | None, typer.Option(help='When to call, such as "p95_ms above 50 for 3"; may be given again.')
    ] = None,
    webhook: Annotated[list[str] | None, typer.Option(help="URL that alarms are sent to; may be given again.")] = None,
    command: Annotated[
        list[str] | None, typer.Option(help="Program and arguments that are given alarms; no shell reads them.")
    ] = None,
    model: Annotated[str, typer.Option("--model", "-m", help="Model name. (default: all of a server)")] = "",
    react: Annotated[
        bool, typer.Option("--react", help="Roll back a new version that does badly; with --hard, retrain on drift.")
    ] = False,
    hard: Annotated[
        str | None, typer.Option(help="Hard set that a retraining learns beside --dataset, as the gate allows.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Look once; exit code 1 where a rule is broken.")] = False,
    home: HOME = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON a look, and nothing else.")] = False,
) -> None:
    """Watch a server until Ctrl-C: errors, latency, drift, accuracy; alarms call a webhook or a command."""
    from workbench.monitor.alarms import CommandTarget, Rule, WebhookTarget
    from workbench.monitor.kept import NAME
    from workbench.monitor.watch import Monitor
    from workbench.pipeline.loop import Loop
    from workbench.pipeline.reactions import ReactionSettings

    workspace = workspace_at(home)
    _check_together(react=react, once=once, hard=hard, artifact=artifact, dataset=dataset)
    targets: list[Target] = [WebhookTarget(url) for url in webhook or []]
    targets += [CommandTarget(shlex.split(text)) for text in command or []]
    place = _server(server, workspace)
    watched = Monitor(
        place,
        _reference(reference, artifact, dataset, workspace),
        [Rule.of(text) for text in rule] if rule else None,
        targets,
        settings=MonitorSettings.parse(settings),
        drift=DriftSettings.parse(drift),
        model=model,
        keep=None if once or isinstance(place, (str, Path)) else place.folder / NAME,
    )
    try:
        if once:
            report = watched.check()
            _print(report, as_json=as_json)
            if not as_json and not report.alarms:
                # Who looks once wants an answer, also where there is nothing to tell.
                typer.echo(f"{report.requests} requests, no rule is broken." if report.requests else "No request yet.")
            raise typer.Exit(1 if report.alarms else 0)
        loop = None
        if react:
            loop = Loop(
                place, watched, ReactionSettings.parse(bounds), hard=hard, dataset=dataset if hard else None,
                budget=RetrainBudget.parse(budget), workspace=workspace,
            )  # fmt: skip
        typer.echo(f"Watching {server}; Ctrl-C ends it.", err=True)
        _watch(watched, loop, as_json=as_json)
    except KeyboardInterrupt:
        typer.echo("", err=True)
    finally:
        watched.close()


def _check_together(*, react: bool, once: bool, hard: str | None, artifact: Path | None, dataset: str | None) -> None:
    """Say which flag lacks another one."""
    if react and once:
        raise BadInputError.of("react", rule="must not be given with --once, which only looks", got=react)
    if hard is not None and not react:
        raise BadInputError.of("hard", rule="must be given with --react", got=hard)
    if hard is not None and dataset is None:
        raise BadInputError.of("dataset", rule="must be given with --hard: the old data is learnt beside it", got=None)
    if artifact is not None and dataset is None:
        raise BadInputError.of("dataset", rule="must be given with the other of --artifact and --dataset", got=None)
    if dataset is not None and artifact is None and hard is None:
        raise BadInputError.of("artifact", rule="must be given with the other of --artifact and --dataset", got=None)


def _watch(watched: Monitor, loop: Loop | None, *, as_json: bool) -> None:
    never = threading.Event()
    if loop is None:
        watched.run(never, lambda report: _print(report, as_json=as_json))
    else:
        loop.run(never, lambda report: _print(report.monitor, report.events, as_json=as_json))


def _server(given: str, workspace: Workspace) -> Sandbox | str | Path:
    from workbench.serve.sandbox import attach_server

    if given.startswith(("http://", "https://")):
        return given
    return Path(given).absolute() if Path(given).is_dir() else attach_server(given, workspace)


def _reference(file: Path | None, artifact: Path | None, dataset: str | None, workspace: Workspace) -> Reference | None:
    """Return what requests are compared with; made anew and written to the file where both are given."""
    from workbench.core.artifact import Artifact
    from workbench.monitor.drift import Reference

    if artifact is None or dataset is None:
        return None if file is None else Reference.load(file)
    made = Reference.of(Artifact.load(artifact), dataset, workspace=workspace)
    if file is not None:
        made.save(file)
    return made


def _print(report: MonitorReport, reactions: Sequence[LoopEvent] | None = None, *, as_json: bool) -> None:
    if as_json:
        done = {} if reactions is None else {"reactions": [each.to_json() for each in reactions]}
        typer.echo(json.dumps(report.to_json() | done))
        return
    at = datetime.fromtimestamp(report.time).astimezone().strftime("%H:%M:%S")
    for event in report.events:
        typer.echo(f"{at}  {event.state.upper() if event.state == 'raised' else event.state}  {event.words}")
    for each in reactions or ():
        typer.echo(f"{at}  {each.act.replace('_', ' ')}  {each.words}")
    if report.drift is not None and not report.drift.alarm:
        typer.echo(f"{at}  no drift  {report.drift.words}")
