"""The serving process: `python -m workbench.serve.child RUN_FOLDER PARENT_PID`.

It reads what to serve from `job.json` in its run folder, tells its parent how it goes in JSON lines on standard output
(`listening`, `ready`, `failed`), logs to standard error, and supervises the workers that answer until it is told to
stop or its parent ends.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.serve.parent import end_with

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.serve.config.model_config import ModelConfig
    from workbench.serve.settings import ServeSettings


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
    from workbench.serve.supervision.supervisor import automatic_workers, serve_for_ever

    asked = read_json(Path(folder) / "job.json")["settings"]
    settings = ServeSettings.parse(asked["serve"])
    try:
        configs = [_config(settings, Path(asked["store"]), asked["versions"])]
    except WorkbenchError as error:
        tell(event="failed", error=str(error))
        return
    sys.exit(serve_for_ever(settings, configs, workers=settings.workers or automatic_workers(), tell=tell))


def _take_stdout() -> Callable[..., None]:
    # Native libraries print where they like; only our lines may reach the parent.
    events = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def tell(**event: Any) -> None:
        events.write(json.dumps(event) + "\n")

    return tell


def _config(settings: ServeSettings, base: Path, versions: list[int]) -> ModelConfig:
    from workbench.serve.config.model_config import ModelConfig, Specific
    from workbench.serve.store import Store

    labels = Store(base).labels(settings.name)
    return ModelConfig(
        name=settings.name, base_path=str(base), policy=Specific(versions=tuple(versions)), labels=labels
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
