"""A server in a child process: started, or found again."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, overload

from workbench.core.errors import BadInputError, ServingError, WorkspaceError
from workbench.core.workspace import Workspace, read_json
from workbench.jobs.lock import is_held, release
from workbench.jobs.request import Request
from workbench.jobs.state import LEASE, workspace_of
from workbench.jobs.submission import new_run
from workbench.serve.attached import AttachedProcess
from workbench.serve.handle import Sandbox
from workbench.serve.original.requirement import require_original
from workbench.serve.process import SERVER, ChildProcess
from workbench.serve.settings import ServeSettings
from workbench.serve.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.core.artifact import Artifact
    from workbench.serve.on_ray.application import RayServer

__all__ = ["Engine", "Sandbox", "attach_server", "require_engine", "running", "serve", "start"]

Engine = Literal["workbench", "tensorflow-serving"]

_KIND = "serve"
_LIVE: weakref.WeakSet[Sandbox] = weakref.WeakSet()


@overload
def serve(
    artifact: Artifact | Mapping[int, Artifact],
    name: str = "model",
    *,
    port: int = 0,
    workspace: Workspace | None = None,
    wait: bool = True,
    keep: bool = False,
    engine: Engine = "workbench",
    **settings: Any,
) -> Sandbox: ...


@overload
def serve(
    artifact: Artifact | Mapping[int, Artifact],
    name: str = "model",
    *,
    port: int = 0,
    workspace: Workspace | None = None,
    engine: Literal["ray"],
    **settings: Any,
) -> RayServer: ...


def serve(
    artifact: Artifact | Mapping[int, Artifact],
    name: str = "model",
    *,
    port: int = 0,
    workspace: Workspace | None = None,
    wait: bool = True,
    keep: bool = False,
    engine: Engine | Literal["ray"] = "workbench",
    **settings: Any,
) -> Sandbox | RayServer:
    """Publish a model in the workspace's store and serve it on this machine.

    Args:
        artifact: What is served, which becomes the model's next version, or one for each version number.
        name: Model name in the URL and in the store.
        port: TCP port of REST; a free one where 0, or where it is taken (`note` then says so).
        workspace: Where the store and the run folder are.
        wait: Return when it answers; otherwise at once, with the state `starting`.
        keep: Let it outlive this process; `attach_server` finds it, `stop()` ends it.
        engine: `workbench`; `tensorflow-serving` for the original, where it is installed, which opens SavedModels
            alone; `ray` for an application of Ray Serve, which is up when this returns (`serve_on_ray` has its own
            settings).
        settings: The other settings of `ServeSettings`: `grpc_port`, `workers`, `threads`, `batching`, `limits` …

    Returns:
        The handle; it ends its server when it is stopped, left as a context, or (unless kept) the interpreter exits.

    Raises:
        BadInputError: The artifact cannot be served, or a setting is not allowed.
        WorkspaceError: A file was changed, or the workspace cannot be written.
        ServingError: The server could not start; the message says why.
    """
    require_engine(engine, (*get_args(Engine), "ray"))
    workspace = Workspace.of(workspace)
    asked = ServeSettings(name=name, port=port, **settings)
    _require_log(asked, engine)
    if engine == "ray":
        from workbench.serve.on_ray.application import serve_on_ray

        return serve_on_ray(artifact, name, port=port, settings=asked, workspace=workspace)
    store = Store.of(workspace)
    versions = store.publish_all(artifact, name)
    sandbox = start(asked, store, versions, workspace, keep=keep, engine=engine)
    return sandbox.wait() if wait else sandbox


def start(
    settings: ServeSettings,
    store: Store,
    versions: Sequence[int],
    workspace: Workspace,
    *,
    keep: bool = False,
    engine: Engine = "workbench",
) -> Sandbox:
    """Start a server for versions that are in a store, and return at once.

    Raises:
        BadInputError: There is no such engine.
        WorkspaceError: The workspace cannot be written; nothing is left behind.
    """
    require_engine(engine)
    _require_log(settings, engine)
    if engine == "tensorflow-serving":
        require_original(settings, store, versions)
    asked = {
        "serve": settings.model_dump(mode="json"), "store": str(store.base), "versions": list(versions),
        "engine": engine, "keep": keep,
    }  # fmt: skip
    folder, lease = new_run(workspace, Request.of("workbench.serve.sandbox:serve", asked, _KIND, where="asker"))
    with contextlib.ExitStack() as undo:
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        undo.callback(release, lease)
        sandbox = Sandbox(folder, settings, store, lambda tell: ChildProcess(folder, lease, tell, keep=keep), keep=keep)
        undo.pop_all()  # from here on the watching thread sees to both
    _LIVE.add(sandbox)
    return sandbox


def require_engine(engine: str, known: Sequence[str] = get_args(Engine)) -> None:
    """Hold the name of an engine to those there are, before anything is written.

    Raises:
        BadInputError: There is no such engine, or it is not for this door.
    """
    if engine not in known:
        hint = 'Ray serves from Python: `workbench.serve(artifact, engine="ray")`' if engine == "ray" else ""
        raise BadInputError.of("engine", rule=f"must be one of {', '.join(known)}", got=engine, hint=hint)


def _require_log(settings: ServeSettings, engine: str) -> None:
    if settings.request_log is not None and engine != "workbench":
        raise BadInputError.of(
            "request_log", rule=f"must be left out where {engine} serves, which notes nothing", got=settings.request_log
        )


def attach_server(server: str | Path, workspace: Workspace | None = None) -> Sandbox:
    """Return a handle to a server that runs, whoever started it.

    Args:
        server: Model name (the newest server of that name), name of the run, or its folder.
        workspace: Where it was started; a folder tells by itself.

    Raises:
        BadInputError: No such server runs here.
        ServingError: It does not answer.
    """
    wanted = Path(server).name
    if workspace is None and (Path(server) / LEASE).is_file():
        workspace = workspace_of(Path(server).absolute())
    every = running(workspace)
    found = next((folder for folder, name in every.items() if wanted in (folder.name, name)), None)
    if found is None:
        known = ", ".join(sorted(set(every.values())))
        raise BadInputError.of(
            "server", rule="must name a server that runs", got=str(server),
            hint=f"these run: {known}" if known else "none runs; start one with `workbench.serve(artifact)`",
        )  # fmt: skip
    asked = Request.load(found).settings
    try:
        control = read_json(found / SERVER)["control"]
    except WorkspaceError:
        raise ServingError(f"the server in {found} is still starting; try again.") from None
    return Sandbox(
        found,
        ServeSettings.parse(asked["serve"]),
        Store(Path(asked["store"])),
        lambda tell: AttachedProcess(found, control, tell),
        keep=asked.get("keep", False),
    ).wait()


def running(workspace: Workspace | None = None, *, kept: bool = False) -> dict[Path, str]:
    """Return the run folders of servers that live, newest first, with their models' names.

    Args:
        workspace: Where they were started.
        kept: Only those that outlive who started them.
    """
    found = {}
    for folder in Workspace.of(workspace).list_runs(_KIND):
        if is_held(folder / LEASE):
            with contextlib.suppress(WorkspaceError):
                asked = Request.load(folder).settings
                if asked.get("keep", False) or not kept:
                    found[folder] = asked["serve"]["name"]
    return found


@atexit.register
def _stop_all() -> None:
    mine = [sandbox for sandbox in _LIVE if sandbox.owner == os.getpid() and not sandbox.keep]
    for sandbox in mine:
        sandbox.ask_to_end()
    for sandbox in mine:
        sandbox.stop()
