"""The same question is never computed twice: results by the digest of what was asked."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from workbench.core.artifact import MANIFEST, Artifact
from workbench.core.errors import WorkbenchError
from workbench.core.workspace import digest, read_json, write_json
from workbench.jobs.job import Job

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.workspace import Workspace
    from workbench.jobs.request import Request


def results(workspace: Workspace) -> Path:
    """Folder that leads from questions to runs."""
    return workspace.cache / "results"


def find(workspace: Workspace, request: Request) -> Job | None:
    """Return the job that answers a request: one under way, or one done whose result can be vouched for."""
    try:
        job = Job(workspace.run(read_json(_path(workspace, request))["run"]))
        state = job.state
        if state in ("queued", "running"):
            return job
        if state != "done":
            return None
        job.value()
        if (job.result / MANIFEST).is_file():
            Artifact.load(job.result).verify()
    except (WorkbenchError, KeyError, TypeError):  # damaged by hand; the question is asked anew
        return None
    return job


def remember(workspace: Workspace, request: Request, run: Path) -> None:
    """Let a run answer the same request from now on.

    Raises:
        WorkspaceError: The disk refused it.
    """
    write_json(_path(workspace, request), {"run": run.name})


def _path(workspace: Workspace, request: Request) -> Path:
    # Another release may answer differently, so it asks anew.
    question = {"stage": request.stage, "settings": request.settings, "version": _version()}
    return results(workspace) / f"{digest(question)}.json"


def _version() -> str:
    try:
        return version("lastmile-workbench")
    except PackageNotFoundError:
        return ""
