"""Conversions that were asked for here: begun in the background, followed to their end."""

from __future__ import annotations

import contextlib
import io
import zipfile
from typing import TYPE_CHECKING, Any

from workbench.convert.routes import routes
from workbench.convert.run import start_conversion
from workbench.core.artifact import Artifact
from workbench.core.errors import BadInputError
from workbench.core.language import _
from workbench.datasets import Dataset
from workbench.jobs.state import UNFINISHED
from workbench.panels.parts.chosen_data import open_chosen
from workbench.panels.parts.format_ways import made_of, open_edges, reach
from workbench.panels.session import give_way
from workbench.widgets.download import MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.core.records.formats import Edge, FormatMap
    from workbench.core.workspace import Workspace
    from workbench.jobs import Job
    from workbench.panels.parts.convert_plan import ConvertPlan


def find(folder: str, workspace: Workspace) -> FormatMap:
    """Return the map of a model; blocks while runs are read.

    Raises:
        BadInputError: There is no model in that folder.
        WorkspaceError: Its file is missing or changed.
    """
    return routes(Artifact.load(folder), workspace=workspace)


def begin_one(plan: ConvertPlan, found: FormatMap, workspace: Workspace) -> list[Job]:
    """Ask for the conversion that a plan describes, from the model or from what was made of it.

    Raises:
        BadInputError: No way leads there, or a setting breaks its rule.
    """
    edges = reach(found, plan.target)
    if not edges:
        ways = ", ".join(found.reachable())
        raise BadInputError.of("format", rule=f"must be one of {ways}", got=plan.target,
                               hint="convert to what lies between first")  # fmt: skip
    settings = {name: value for name, value in plan.changed.items() if name != "numeric"}
    return _begin([edges[0]], plan, found, workspace, settings)


def begin_all(plan: ConvertPlan, found: FormatMap, workspace: Workspace) -> list[Job]:
    """Ask for every open way that leads on from the model and was not gone yet."""
    told = {"format", "numeric", "tool"}
    settings = {name: value for name, value in plan.changed.items() if name not in told}
    return _begin(open_edges(found), plan, found, workspace, settings)


def packed_for_download(artifact: Artifact) -> tuple[str, bytes, str]:
    """Return an artifact's file, a folder as a zip archive: name, bytes and media type.

    Raises:
        BadInputError: It is too large for a page; where it lies is said.
    """
    path = artifact.path
    count = artifact.sizes().raw
    if count > MOST_BYTES:
        raise BadInputError.of(
            "artifact", rule=f"must have at most {MOST_BYTES:,} bytes to be sent to a page", got=count,
            hint=f"it lies in {path}",
        )  # fmt: skip
    name = f"{artifact.name}-{artifact.label.replace('/', '-')}"
    if path.is_file():
        return f"{name}{path.suffix}", path.read_bytes(), "application/octet-stream"
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in sorted(path.rglob("*")):
            if each.is_file():
                archive.write(each, each.relative_to(path.parent))
    return f"{name}.zip", data.getvalue(), "application/zip"


def words_for(done: int, failed: int, total: int) -> str:
    """Say how many conversions have ended."""
    if failed:
        return _("{done} of {total} conversions ended, {failed} failed").format(done=done, total=total, failed=failed)
    return _("{done} of {total} conversions ended").format(done=done, total=total)


def _begin(
    edges: Sequence[Edge], plan: ConvertPlan, found: FormatMap, workspace: Workspace, settings: dict[str, Any]
) -> list[Job]:
    model = Artifact.load(plan.artifact)
    data = _data(plan, model, workspace)
    begun = []
    for edge in edges:
        target, numeric = edge.target.split("/")
        source = model if edge.source == found.start else _made(found, edge.source)
        tool = {} if settings.get("tool") or len(edges) == 1 else {"tool": edge.tool}
        job = start_conversion(
            source, target, numeric=numeric, dataset=data, workspace=workspace,  # type: ignore[arg-type]
            **{**settings, **tool},
        )  # fmt: skip
        if job.state in UNFINISHED:
            # Asked for again by hand, it is tried again.
            with contextlib.suppress(BadInputError):
                job = job.resume()
        begun.append(job)
    give_way(workspace)
    return begun


def _made(found: FormatMap, label: str) -> Artifact:
    edge = made_of(reach(found, label))
    if edge is None or edge.artifact is None:
        raise BadInputError.of("format", rule=f"must come after {label}", got=label, hint=f"convert to {label} first")
    return Artifact.load(edge.artifact)


def _data(plan: ConvertPlan, model: Artifact, workspace: Workspace) -> Dataset | None:
    if plan.dataset:
        return open_chosen(plan.dataset, workspace)
    spec = model.settings.get("dataset")
    return Dataset.open_spec(spec, workspace) if isinstance(spec, dict) else None
