"""The command line: a thin door to the same functions that Python users call.

Exit codes: 0 the gate passed, 1 a gate or parity check failed, 2 bad input, 3 a job or server failed, 130 interrupted.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import traceback
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from workbench.cli import commands
from workbench.core.errors import WorkbenchError
from workbench.core.workspace import Workspace

_INTERRUPTED = 130


class _Commands(TyperGroup):
    """The modules of `commands`, each imported when it is called or its help is shown."""

    def list_commands(self, ctx: Any) -> list[str]:
        del ctx
        return sorted(each.name for each in pkgutil.iter_modules(commands.__path__))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        known = self.list_commands(ctx)
        # All of them, where it is none, so that the one that is meant can be suggested.
        for name in [cmd_name] if cmd_name in known else known:
            if name not in self.commands:
                unit = importlib.import_module(f"{commands.__name__}.{name}")
                command = typer.main.get_command(unit.app)
                command.name = name  # help shows it, of a group too
                self.add_command(command)
        return self.commands.get(cmd_name)


app = typer.Typer(
    name="workbench",
    cls=_Commands,
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


def main() -> None:
    """Run the command line; every error is one sentence, its traceback lies in the workspace."""
    try:
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
