"""What several commands take."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from workbench.core.workspace import Workspace

HOME = Annotated[
    Path | None, typer.Option("--home", help="Workspace folder. (default: WORKBENCH_HOME, else ~/.workbench)")
]
RUN = Annotated[str, typer.Argument(help="Name of the run, as `workbench runs` lists it.")]


def workspace_at(home: Path | None) -> Workspace:
    """Return the workspace that `--home` names, else the default one."""
    if home is not None:  # also where a traceback goes, and what started processes inherit
        os.environ["WORKBENCH_HOME"] = str(home.expanduser().absolute())
    return Workspace.default()
