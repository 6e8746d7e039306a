"""`workbench store`: versions, labels and history of the models that are served."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer reads it
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.options import HOME, workspace_at

if TYPE_CHECKING:
    from workbench.core.records import Override, Verdict
    from workbench.serve.store import Store

app = typer.Typer(add_completion=False, no_args_is_help=True)

_NAME = Annotated[str, typer.Argument(help="Model name in the store.")]
_LABEL = Annotated[str, typer.Argument(help="The label, such as stable or canary.")]
_BY = Annotated[str, typer.Option("--by", help="Who does it, for the history. (default: who runs this)")]
_WHY = Annotated[str, typer.Option("--why", help="The reason, for the history.")]
_JSON = Annotated[bool, typer.Option("--json", help="Print one line of JSON.")]
_OVERRIDE = Annotated[
    str | None,
    typer.Option("--override", help="Let a model through that no gate passed, for this reason; --by says who does."),
]


@app.callback()
def _group() -> None:
    """Versions, labels and history of the models that are served."""


@app.command("list")
def list_models(
    name: Annotated[str | None, typer.Argument(help="Only this model.")] = None,
    *,
    home: HOME = None,
    as_json: _JSON = False,
) -> None:
    """List the models with their versions, what each passed, and what labels mean."""
    store = _store(home)
    names = store.names() if name is None else [name]
    if name is not None:
        _there(store, name)
    found = {each: store.stored(each) for each in names}
    if as_json:
        typer.echo(json.dumps({each: [one.to_json() for one in rows] for each, rows in found.items()}))
        return
    if not found:
        typer.echo(f"No models in {store.base}; `workbench store publish FOLDER NAME` puts one there.", err=True)
    for each, rows in found.items():
        for one in rows:
            kind = f"{one.format}/{one.numeric}" if one.format else "no manifest"
            typer.echo(f"{each:<24}{one.version:>6}  {one.gate:<11}{kind:<22}{', '.join(one.labels)}".rstrip())


@app.command()
def history(name: _NAME, *, home: HOME = None, as_json: _JSON = False) -> None:
    """Say every change to a model, oldest first."""
    store = _store(home)
    changes = store.history(name)
    if not changes:
        _there(store, name)  # all of a model may be deleted, and its history stays
    for each in changes:
        typer.echo(json.dumps(each.to_json()) if as_json else f"{each.time[:19]}Z  {each.sentence}")


@app.command()
def publish(  # noqa: PLR0913 - one a flag
    artifact: Annotated[Path, typer.Argument(help="Artifact folder.")],
    name: _NAME,
    *,
    version: Annotated[int | None, typer.Option(help="Number it shall have. (default: the next)")] = None,
    verdict: Annotated[
        Path | None, typer.Option(help="JSON file of a gate's verdict, or a report that holds one under `verdict`.")
    ] = None,
    override: _OVERRIDE = None,
    by: _BY = "",
    why: _WHY = "",
    home: HOME = None,
    as_json: _JSON = False,
) -> None:
    """Copy an artifact into the store as a model's next version; exit code 1 where its gate says no."""
    from workbench.core.artifact import Artifact

    store = _store(home)
    said = _verdict(verdict) if verdict is not None else None
    through = _override(override, by)
    number = store.publish(Artifact.load(artifact), name, version, verdict=said, override=through, by=by, why=why)
    _tell({"name": name, "version": number, "gate": store.gate(name, number)}, as_json=as_json)


@app.command()
def label(  # noqa: PLR0913 - one a flag
    name: _NAME,
    label: _LABEL,
    version: Annotated[int | None, typer.Argument(help="Version it shall mean.")] = None,
    *,
    remove: Annotated[bool, typer.Option("--remove", help="Take the label away.")] = False,
    override: _OVERRIDE = None,
    by: _BY = "",
    why: _WHY = "",
    home: HOME = None,
    as_json: _JSON = False,
) -> None:
    """Make a label mean a version; before stable or canary moves, the version is tried in a process of its own."""
    from workbench.core.errors import BadInputError

    store = _store(home)
    if remove == (version is not None):
        raise BadInputError.of("version", rule="must be given, or --remove instead of it", got=version)
    if version is None:
        store.unlabel(name, label, by=by, why=why)
    else:
        store.label(name, label, version, override=_override(override, by), by=by, why=why)
    _tell({"name": name, "label": label, "version": version}, as_json=as_json)


@app.command()
def rollback(
    name: _NAME,
    *,
    label: Annotated[str, typer.Option(help="The label that goes back.")] = "stable",
    to: Annotated[int | None, typer.Option(help="Version it shall mean. (default: the one it meant before)")] = None,
    override: _OVERRIDE = None,
    by: _BY = "",
    why: _WHY = "",
    home: HOME = None,
    as_json: _JSON = False,
) -> None:
    """Make a label mean what it meant before; once more goes forth again."""
    store = _store(home)
    version = store.rollback(name, label, to, override=_override(override, by), by=by, why=why)
    _tell({"name": name, "label": label, "version": version}, as_json=as_json)


@app.command()
def collect(
    name: _NAME,
    *,
    keep: Annotated[int, typer.Option(help="How many of the newest stay, at least 1.")],
    by: _BY = "",
    why: _WHY = "",
    home: HOME = None,
    as_json: _JSON = False,
) -> None:
    """Delete a model's oldest versions, but none that a label means or a rollback would go to."""
    gone = _store(home).collect(name, keep, by=by, why=why)
    _tell({"name": name, "deleted": gone}, as_json=as_json)


@app.command()
def export(
    name: _NAME,
    version: Annotated[int, typer.Argument(help="Version of the model.")],
    *,
    by: _BY = "",
    home: HOME = None,
    as_json: _JSON = False,
) -> None:
    """Register a version in the MLflow server that MLFLOW_TRACKING_URI names."""
    address = _store(home).export(name, version, by=by)
    _tell({"name": name, "version": version, "address": address}, as_json=as_json)


def _store(home: Path | None) -> Store:
    from workbench.serve.store import Store

    return Store.of(workspace_at(home))


def _there(store: Store, name: str) -> None:
    if not store.versions(name):
        from workbench.core.errors import BadInputError

        raise BadInputError.of(
            "name", rule=f"must be a model in {store.base}", got=name, hint="`workbench store list` lists them"
        )


def _override(why: str | None, by: str) -> Override | None:
    from workbench.core.errors import BadInputError
    from workbench.core.records import Override

    if why is None:
        return None
    if not by:
        raise BadInputError.of("--by", rule="must say who lets the model through", got=by)
    return Override(who=by, why=why)


def _verdict(path: Path) -> Verdict:
    from pydantic import ValidationError

    from workbench.core.errors import BadInputError, WorkspaceError
    from workbench.core.records import Verdict
    from workbench.core.workspace import read_json

    try:
        found = read_json(path)
        return Verdict.from_json(found.get("verdict", found) if isinstance(found, dict) else found)
    except (WorkspaceError, ValidationError):
        raise BadInputError.of(
            "verdict", rule="must be a JSON file of a verdict, or of a report with one", got=str(path),
            hint="`workbench run --json` prints such a report",
        ) from None  # fmt: skip


def _tell(facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(facts))
        return
    typer.echo("  ".join(f"{key} {_words(value)}" for key, value in facts.items()))


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
