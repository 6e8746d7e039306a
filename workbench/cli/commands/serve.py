"""`workbench serve`: a model behind TensorFlow Serving's protocols."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.flags import with_flags
from workbench.cli.options import HOME, workspace_at
from workbench.serve.batching import Batching
from workbench.serve.limits import Limits
from workbench.serve.security import Security
from workbench.serve.settings import ServeSettings

if TYPE_CHECKING:
    from workbench.core.artifact import Artifact
    from workbench.core.workspace import Workspace
    from workbench.serve.handle import Sandbox
    from workbench.serve.store import Store

app = typer.Typer(add_completion=False)


@app.command()
@with_flags(ServeSettings, Batching, Limits, Security)
def serve(  # noqa: PLR0913 - one a flag
    settings: dict[str, Any],
    batching: dict[str, Any],
    limits: dict[str, Any],
    security: dict[str, Any],
    model: Annotated[str, typer.Argument(help="Artifact folder, model file, or a name in the workspace's store.")],
    *,
    api_key: Annotated[
        list[str] | None,
        typer.Option(
            "--api-key", help="SHA-256 of a key that may predict, as `workbench key` makes it; may be given again."
        ),
    ] = None,
    admin_key: Annotated[
        list[str] | None,
        typer.Option(
            "--admin-key", help="SHA-256 of a key that may do all, as `workbench key` makes it; may be given again."
        ),
    ] = None,
    request_log: Annotated[
        bool, typer.Option("--request-log", help="Note requests in the run folder, for `workbench monitor`.")
    ] = False,
    request_log_inputs: Annotated[
        bool, typer.Option("--request-log-inputs", help="Note them with the inputs themselves.")
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave it running; `workbench stop NAME` ends it.")] = False,
    engine: Annotated[
        str, typer.Option(help="workbench, or tensorflow-serving for the original, which opens SavedModels only.")
    ] = "workbench",
    print_command: Annotated[
        str | None,
        typer.Option("--print-command", help="Print how docker, binary or kserve would serve it, a SavedModel."),
    ] = None,
    home: HOME = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON with addresses.")] = False,
) -> None:
    """Serve a model until Ctrl-C: TensorFlow Serving's REST and gRPC, Open Inference Protocol, metrics."""
    from workbench.serve import commands, sandbox

    sandbox.require_engine(engine)
    if print_command is not None:
        commands.require_target(print_command)
    workspace = workspace_at(home)
    keys = {**dict.fromkeys(api_key or [], "predict"), **dict.fromkeys(admin_key or [], "admin")}
    settings |= {"batching": batching, "limits": limits, "security": {**security, "api_keys": keys}}
    if request_log or request_log_inputs:
        settings["request_log"] = {"inputs": request_log_inputs}
    asked, store, versions = _found(model, settings, workspace)
    if print_command is not None:
        target: Any = print_command
        typer.echo(commands.print_command(target, asked, store, versions), nl=False)
        return
    wanted: Any = engine
    _hear_ends()
    server = sandbox.start(asked, store, versions, workspace, keep=keep, engine=wanted)
    try:
        server.wait()
        _tell(server, versions, as_json=as_json)
        if not keep:
            _follow(server)
    except KeyboardInterrupt:
        typer.echo("Answering what is under way …", err=True)
        server.stop()


def _hear_ends() -> None:
    """Have a service manager's and a closed terminal's signal mean what Ctrl-C does."""
    # The server dies with this process, so that its requests would be lost.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, signal.default_int_handler)


def _found(model: str, given: dict[str, Any], workspace: Workspace) -> tuple[ServeSettings, Store, list[int]]:
    """Return what is served: a name of the store as it is there, anything else as its next version."""
    from workbench.core.errors import BadInputError
    from workbench.serve.store import Store

    store, path = Store.of(workspace), Path(model).expanduser()
    if path.exists():
        artifact = _artifact(path, workspace)
        asked = ServeSettings.parse({"name": _name(path, artifact), **given})
        return asked, store, [store.publish(artifact, asked.name)]
    try:
        versions = list(store.versions(model))
    except BadInputError:  # no name at all, then it was meant as a path
        versions = []
    if not versions:
        raise BadInputError.of(
            "model", rule="must be an artifact folder, a model file or a name in the store", got=model,
            hint=f"the store is {store.base}",
        )  # fmt: skip
    asked = ServeSettings.parse({"name": model, **given})
    return asked, store, versions[-asked.num_versions :]


def _artifact(path: Path, workspace: Workspace) -> Artifact:
    from workbench.convert.adopt import adopt
    from workbench.core.artifact import MANIFEST, Artifact

    return Artifact.load(path) if (path / MANIFEST).is_file() else adopt(path, workspace=workspace)


def _name(path: Path, artifact: Artifact) -> str:
    said = artifact.name or path.stem
    return re.sub(r"[^A-Za-z0-9_.\-]", "_", said).lstrip(".-") or "model"


def _tell(server: Sandbox, versions: list[int], *, as_json: bool) -> None:
    facts: dict[str, Any] = {
        "name": server.name, "versions": versions, "url": server.url, "v2": server.v2_url, "run": server.folder.name,
    }  # fmt: skip
    if server.settings.grpc_port is not None:
        facts["grpc"] = server.grpc
    if server.proxy_url is not None:
        facts["proxy"] = server.proxy_url
    if as_json:
        typer.echo(json.dumps({**facts, "note": server.note}))
        return
    typer.echo(f"{server.name}, version {', '.join(map(str, versions))}: {len(server.workers)} worker(s)")
    typer.echo(f"  REST   {server.url}/v1/models/{server.name}:predict")
    if "grpc" in facts:
        typer.echo(f"  gRPC   {facts['grpc']}")
    typer.echo(f"  OIP    {server.v2_url}/models/{server.name}/infer")
    if "proxy" in facts:
        typer.echo(f"  hub    {facts['proxy']}")
    if server.note:
        typer.echo(f"  note   {server.note}")
    how = f"`workbench stop {server.name}` ends it" if server.keep else "Ctrl-C ends it"
    typer.echo(f"  {how}; its log is {server.folder / 'stderr.log'}")


def _follow(server: Sandbox) -> None:
    from workbench.core.errors import ServingError

    while server.wait_end(1.0) not in ("stopped", "failed"):
        pass  # a wait without end could not be interrupted on every system
    if server.error is not None:
        raise ServingError(server.error)
