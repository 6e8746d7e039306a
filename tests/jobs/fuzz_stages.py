"""A stage that has damaged files examined, in children that may die of them."""

import json
import os
import resource
import select
import signal
from pathlib import Path
from typing import Any

from workbench.convert.incoming import Arrival, kind_of
from workbench.core.errors import WorkbenchError
from workbench.jobs import StageContext

_SECONDS = 20.0
_MEMORY = 2 * 2**30


def examine(context: StageContext) -> list[dict[str, Any]]:
    """Examine files and return what came of each: `outcome` is ok, refused, died, hung or raised; `said` is why."""
    waiting = list(context.settings["files"])
    # Once, before the children are forked.
    _imported(context.settings["modules"])
    found: list[dict[str, Any]] = []
    while waiting:
        answered = list(_examined_by_child(waiting, trust=context.settings.get("trust", False)))
        found += answered
        del waiting[: len(answered)]
    return found


def _imported(modules: list[str]) -> None:
    import importlib

    for module in modules:
        importlib.import_module(module)


def _examined_by_child(files: list[str], *, trust: bool) -> Any:
    """Give the outcomes of one child until it has died, hung or done all."""
    answers, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(answers)
        _work(files, writing, trust=trust)
    os.close(writing)
    left, hung = b"", False
    with os.fdopen(answers, "rb", buffering=0) as pipe:
        for number, _ in enumerate(files):
            while b"\n" not in left:
                hung = not select.select([pipe], [], [], _SECONDS)[0]
                more = b"" if hung else pipe.read(1 << 16)
                if not more:
                    break
                left += more
            if b"\n" not in left:
                os.kill(pid, signal.SIGKILL)
                _, status = os.waitpid(pid, 0)
                how = "hung" if hung else "died"
                yield {"file": files[number], "outcome": how, "said": _end(status)}
                return
            line, left = left.split(b"\n", 1)
            yield json.loads(line)
    os.waitpid(pid, 0)


def _end(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _work(files: list[str], writing: int, *, trust: bool) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + _MEMORY, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for file in files:
        answer = {"file": file, **_outcome(Path(file), trust=trust)}
        os.write(writing, json.dumps(answer).encode() + b"\n")
    os._exit(0)


def _outcome(path: Path, *, trust: bool) -> dict[str, str]:
    arrival = Arrival(path=path, target=path.parent, trust=trust, signature=None, note=lambda _: None)
    try:
        kind_of(path)().examine(arrival)
    except WorkbenchError as error:
        return {"outcome": "refused", "said": str(error)}
    except BaseException as error:  # noqa: BLE001 - whatever it is, nobody foresaw it
        import traceback

        return {"outcome": "raised", "said": f"{type(error).__name__}: {error} {traceback.format_exc()[-1500:]}"}
    return {"outcome": "ok", "said": ""}
