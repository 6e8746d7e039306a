"""The serving process: `python -m workbench.serve.child RUN_FOLDER PARENT_PID`.

It reads what to serve from `job.json` in its run folder, tells its parent how it goes in JSON lines on standard output
(`listening`, `ready`, `failed`), logs to standard error, and answers until it is told to stop or its parent ends.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import socket
import sys
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.serve.parent import end_with

if TYPE_CHECKING:
    from collections.abc import Callable

    import uvicorn

    from workbench.serve.models import Models
    from workbench.serve.settings import ServeSettings

_BACKLOG = 2048
_DRAIN_SECONDS = 5
_KEEP_ALIVE_SECONDS = 75


def main(folder: str, parent: str) -> None:
    """Serve what a run folder asks for.

    Args:
        folder: The run folder.
        parent: Process id of the parent.
    """
    tell = _take_stdout()
    end_with(int(parent))
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    from workbench.core.errors import WorkbenchError
    from workbench.core.workspace import read_json
    from workbench.serve.settings import ServeSettings

    asked = read_json(Path(folder) / "job.json")["settings"]
    settings = ServeSettings.parse(asked["serve"])
    listener, note = _listen(settings.host, settings.port)
    tell(event="listening", port=listener.getsockname()[1], note=note)
    try:
        models = _models(settings, Path(asked["store"]), asked["versions"])
    except WorkbenchError as error:
        tell(event="failed", error=str(error))
        return
    server = _server(settings, models)
    threading.Thread(target=_load, args=(models, settings.name, server, tell), name="load", daemon=True).start()
    server.run(sockets=[listener])


def _take_stdout() -> Callable[..., None]:
    # Native libraries print where they like; only our lines may reach the parent.
    events = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def tell(**event: Any) -> None:
        events.write(json.dumps(event) + "\n")

    return tell


def _listen(host: str, port: int) -> tuple[socket.socket, str]:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    note = ""
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        listener = socket.create_server((host, 0), backlog=_BACKLOG)
        chosen = listener.getsockname()[1]
        note = f"port {port} cannot be used ({error.strerror}), so {chosen} was chosen"
    return listener, note


def _models(settings: ServeSettings, base: Path, versions: list[int]) -> Models:
    from workbench.serve.engine import open_engine
    from workbench.serve.models import Model, Models
    from workbench.serve.servable import Servable
    from workbench.serve.store import Store

    store = Store(base)
    folders = store.versions(settings.name)
    servables = {
        version: Servable(
            settings.name, version, partial(open_engine, folders.get(version, base / "missing"), settings.threads)
        )
        for version in versions
    }
    return Models({settings.name: Model(servables, store.labels(settings.name))})


def _server(settings: ServeSettings, models: Models) -> uvicorn.Server:
    import uvicorn

    from workbench.serve.counters import Counters
    from workbench.serve.inference import Inference
    from workbench.serve.rest.app import rest_app
    from workbench.serve.rest.connection import OneWriteProtocol

    app = rest_app(Inference(models, Counters(models.names())), settings.max_body_bytes)
    config = uvicorn.Config(
        app,
        http=OneWriteProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )
    return uvicorn.Server(config)


def _load(models: Models, name: str, server: uvicorn.Server, tell: Callable[..., None]) -> None:
    model = models.model(name)
    servables = list(model.versions.values()) if model is not None else []
    for servable in servables:
        servable.load()
    if models.loaded():
        gc.freeze()  # what is loaded stays: the collector need not walk it at every hundredth request
        tell(event="ready")
        return
    tell(event="failed", error=next((one.error for one in servables if one.error), "there is nothing to serve"))
    server.should_exit = True


if __name__ == "__main__":
    main(*sys.argv[1:])
