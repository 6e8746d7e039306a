"""`workbench-model-server`: started as `tensorflow_model_server` is, with its flags and files, in the foreground.

```
workbench-model-server --port=8500 --rest_api_port=8501 --model_name=mnist --model_base_path=/models/mnist
```
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.core.errors import BadInputError
from workbench.serve.config.flags import FlagError, read_flags, usage
from workbench.serve.config.launch import Launch, StartError, launch_of
from workbench.serve.logs import log_to_stderr

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = "workbench-model-server"
FAILED = 255
"""Exit code where it could not start: the original's -1."""

_log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT and return the exit code.

    Args:
        arguments: Command line without the program's name; None takes this process'.
    """
    try:
        flags, ignored = read_flags(sys.argv[1:] if arguments is None else arguments)
    except FlagError as error:
        _say(f"{error}\n{usage(PROGRAM)}")
        return FAILED
    except BadInputError as error:
        return _failed(f"INVALID_ARGUMENT: {error}")
    if flags.help:
        _say(usage(PROGRAM))
        return 0
    if flags.version:
        _say(f"{PROGRAM} {version('lastmile-workbench')}, which answers as TensorFlow ModelServer does")
        return 0
    with tempfile.TemporaryDirectory(prefix=f"{PROGRAM}-") as folder:
        try:
            launch = launch_of(flags, Path(folder))
        except StartError as error:
            if error.parsing:
                sys.stderr.write(error.parsing + "\n")
            return _failed(str(error))
        log_to_stderr(logging.INFO)
        if ignored:
            _log.warning("flags without effect here: %s", ", ".join(f"--{name}" for name in ignored))
        for note in launch.notes:
            _log.warning("%s", note)
        return asyncio.run(_serve(launch, Path(folder)))


async def _serve(launch: Launch, folder: Path) -> int:
    from workbench.serve.supervision.supervisor import Serving, Supervisor, automatic_workers

    settings = launch.settings
    herald = _Herald(settings.host)
    asked = Serving(
        settings,
        workers=settings.workers or (1 if launch.has_saved_model() else automatic_workers()),
        configs=launch.configs,
        tell=herald.tell,
        counters=folder,
        must_answer=False,
        ports_may_move=False,
    )
    supervisor = Supervisor(asked)

    async def reload() -> str:
        return (await supervisor.reload())[1]

    async def watch() -> None:
        await herald.ready.wait()
        if launch.file is not None:
            await launch.file.watch(launch.file_seconds, reload)

    watching = asyncio.create_task(watch()) if launch.file_seconds else None
    code = await supervisor.run()
    if watching is not None:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
    return _failed(f"UNKNOWN: {herald.error}") if code else 0


class _Herald:
    # Says in the log what the original says, in its words, which scripts wait for.

    def __init__(self, host: str) -> None:
        self.ready = asyncio.Event()
        self.error = "the server ended"
        self._host = host
        self._ports: dict[str, int] = {}

    def tell(self, *, event: str, **facts: Any) -> None:
        if event == "listening":
            self._ports = facts["ports"]
        elif event == "failed":
            self.error = facts["error"]
        elif event == "draining":
            _log.info("answering what was asked, then ending")
        elif event == "ready":
            if "grpc" in self._ports:
                _log.info("Running gRPC ModelServer at %s:%d ...", self._host, self._ports["grpc"])
            _log.info("Exporting HTTP/REST API at:%s:%d ...", self._host, self._ports["rest"])
            self.ready.set()


def _failed(message: str) -> int:
    _say(f"Failed to start server. Error: {message}")
    return FAILED


def _say(text: str) -> None:
    sys.stdout.write(text.rstrip("\n") + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
