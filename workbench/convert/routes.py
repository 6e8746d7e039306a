"""The verbs `routes`, `try_routes` and `convert_along`: where a model can go, how each way went, and going one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.convert.base import converters
from workbench.convert.edges import edges_here
from workbench.convert.facts import ModelFacts, facts_of
from workbench.convert.run import convert, start_conversion
from workbench.core.artifact import Artifact
from workbench.core.checks import require_artifact
from workbench.core.errors import BadInputError, ParityError, WorkbenchError
from workbench.core.records.evaluation import Parity
from workbench.core.records.formats import Edge, FormatMap, shortest

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from workbench.core.artifact import Format, Numeric
    from workbench.core.workspace import Workspace
    from workbench.datasets import Dataset
    from workbench.jobs import Job


def routes(artifact: Artifact | None = None, *, workspace: Workspace | None = None) -> FormatMap:
    """Return every way that leads on from a model on this machine, and how those went that were gone.

    Nothing is converted and no framework is imported; what was converted before is found in the workspace's runs.

    Args:
        artifact: The model; None gives the edges that any model could go.
        workspace: Where its conversions were run; None is the default one.

    Raises:
        BadInputError: It is no artifact, or its file cannot be read.
        WorkspaceError: The model file is missing, truncated or changed.
    """
    if artifact is None:
        return FormatMap(model="any", start="", sha256=None, edges=edges_here())
    require_artifact(artifact)
    facts = facts_of(artifact)
    edges = _with_ways_round([_judged(edge, artifact, facts) for edge in _from(artifact.label, edges_here())])
    return FormatMap(
        model=artifact.name, start=artifact.label, sha256=artifact.sha256,
        edges=tuple(_with_results(edges, artifact, workspace)),
    )  # fmt: skip


def try_routes(
    artifact: Artifact,
    *,
    dataset: Dataset | str | os.PathLike[str] | None = None,
    further: bool = False,
    workspace: Workspace | None = None,
    **settings: Any,
) -> FormatMap:
    """Go every open edge from a model once, each in a job of its own, and return the map with how they went.

    Args:
        artifact: The model.
        dataset: On whose samples outputs are compared and ranges measured; None is the one the model was made with.
        further: Go on from what was made, until every edge that can be reached was gone.
        workspace: Where the jobs run; None is the default one.
        **settings: Fields of `ConvertSettings` for all of them, such as `parity_samples`.

    Raises:
        BadInputError: It is no artifact, a setting breaks its rule, or the data does not fit an adopted model. What a
            conversion says is in its edge.
    """
    found = routes(artifact, workspace=workspace)
    starts, gone = {artifact.label: artifact}, set[str]()
    while waiting := [label for label in starts if label not in gone]:
        label = waiting[0]
        gone.add(label)
        _try_all(starts[label], found, dataset, workspace, settings)
        found = routes(artifact, workspace=workspace)
        if further:
            for edge in found.edges:
                if edge.source == label and edge.artifact is not None and edge.status == "passed":
                    starts.setdefault(edge.target, Artifact.load(edge.artifact))
    return found


def convert_along(
    artifact: Artifact,
    format: Format,  # noqa: A002 - what it is called everywhere
    *,
    numeric: Numeric = "float32",
    workspace: Workspace | None = None,
    **options: Any,
) -> Artifact:
    """Convert over as many formats as it takes, by the shortest way on the map; each step is compared.

    Args:
        artifact: The model.
        format: Where to.
        numeric: Numeric type of the last step's result.
        workspace: Where the jobs run; None is the default one.
        **options: What `convert` takes, for every step.

    Raises:
        BadInputError: No way leads there from this model here; or as `convert`.
        ParityError: A step does not answer like the one before.
    """
    found = routes(artifact, workspace=workspace)
    path = found.path(format, numeric)
    if path is None:
        # What failed once may have lacked time, other data or a newer program; it is tried again before it is refused.
        afresh = [each.model_copy(update={"status": "untried"}) for each in found.edges]
        path = shortest(afresh, found.start, f"{format}/{numeric}")
    if path is None:
        reached = ", ".join(found.reachable()) or "nothing"
        raise BadInputError.of("format", rule=f"must be reachable from {found.start}", got=f"{format}/{numeric}",
                               hint=f"this model can become {reached}")  # fmt: skip
    for edge in path:
        target, kind = edge.target.split("/")
        usual = next(each for each in found.edges if (each.source, each.target) == (edge.source, edge.target))
        tool = {} if edge == usual else {"tool": edge.tool}
        artifact = convert(
            artifact, target, numeric=kind, workspace=workspace, **(tool | options),  # type: ignore[arg-type]
        )  # fmt: skip
    return artifact


def _from(start: str, edges: Iterable[Edge]) -> list[Edge]:
    """Return the edges that a way from a label could go, in order of their distance."""
    found: list[Edge] = []
    labels = [start]
    for label in labels:
        if label != start and label.startswith("packed/"):
            continue  # it unpacks to the very file that was packed, so no way leads on over it
        leading_on = [edge for edge in edges if edge.source == label and edge.target != start]
        found += leading_on
        labels += [edge.target for edge in leading_on if edge.target not in labels]
    return found


def _judged(edge: Edge, artifact: Artifact, facts: ModelFacts) -> Edge:
    """Close an edge that this model cannot go; only its own are judged, for what it becomes is not known yet."""
    if edge.source != artifact.label or not edge.available:
        return edge
    target, numeric = edge.target.split("/")
    reason = converters.get(target).objection(facts, numeric)  # type: ignore[arg-type]
    return edge.model_copy(update={"available": False, "reason": reason}) if reason else edge


def _with_ways_round(edges: list[Edge]) -> list[Edge]:
    """Tell of closed edges which other program or way leads to the same."""
    found = []
    for edge in edges:
        if not edge.available:
            way = shortest(edges, edge.source, edge.target)
            if way is not None:
                over = ", ".join(f"{each.target} with {each.tool}" for each in way)
                edge = edge.model_copy(update={"alternative": f"convert to {over}"})  # noqa: PLW2901
        found.append(edge)
    return found


def _with_results(edges: list[Edge], artifact: Artifact, workspace: Workspace | None) -> list[Edge]:
    """Write into each edge how its newest conversion went, of this model or of what was made of it."""
    from workbench.jobs import jobs

    asked: dict[tuple[str, str], list[Job]] = {}  # by the source's sha256 and the target's label
    for job in jobs(workspace, "convert"):
        match job.settings:  # a plugin may have a stage of that kind as well
            case {"sha256": sha256, "settings": {"format": target, "numeric": numeric}}:
                asked.setdefault((sha256, f"{target}/{numeric}"), []).append(job)
    shas = {artifact.label: {artifact.sha256}}
    found = []
    for edge in edges:
        ran = (job for sha in shas.get(edge.source, ()) for job in asked.get((sha, edge.target), ()))
        outcomes = [outcome for job in ran if (outcome := _outcome(edge, job)) is not None]
        # The newest, but one that passed counts more than a later one with other tolerances that did not.
        outcome = next((each for each in outcomes if each["status"] == "passed"), next(iter(outcomes), {}))
        result = edge.model_copy(update=outcome)
        if result.artifact is not None:
            shas.setdefault(edge.target, set()).add(Artifact.load(result.artifact).sha256)
        found.append(result)
    return found


def _outcome(edge: Edge, job: Job) -> dict[str, Any] | None:
    """Return what an edge's job came to; None where it went with another program."""
    from workbench.jobs.state import UNFINISHED

    state = job.state
    asked = job.settings["settings"].get("tool")
    if state in UNFINISHED:
        if asked not in (None, edge.tool):
            return None
        return _failure(job)
    if state != "done":
        return {"status": "running"} if asked in (None, edge.tool) else None
    try:
        made = Artifact.load(job.result)
    except WorkbenchError:  # cleared away since
        return None
    used = made.metrics.get("tool", asked)
    if used not in (None, edge.tool):
        return None
    return {
        "status": "passed",
        "artifact": str(made.folder),
        "bytes": made.sizes().raw,
        "seconds": made.metrics.get("seconds"),
        "parity": Parity.from_json(made.metrics["parity"]) if made.metrics.get("parity") else None,
    }


def _failure(job: Job) -> dict[str, Any]:
    try:
        job.value()
    except ParityError as error:
        return {"status": "parity failed", "error": str(error)}
    except WorkbenchError as error:
        return {"status": "failed", "error": str(error)}
    return {"status": "failed", "error": f"{job.id} ended without a word."}


def _try_all(
    artifact: Artifact,
    found: FormatMap,
    dataset: Dataset | str | os.PathLike[str] | None,
    workspace: Workspace | None,
    settings: dict[str, Any],
) -> None:
    """Start every open edge from an artifact at once, and wait for all of them."""
    under_way = []
    for edge in found.edges:
        if edge.source != artifact.label or not edge.available or edge.status == "passed":
            continue
        target, numeric = edge.target.split("/")
        job = start_conversion(
            artifact, target, numeric=numeric, tool=edge.tool, dataset=dataset,  # type: ignore[arg-type]
            workspace=workspace, **settings,
        )  # fmt: skip
        under_way.append(job)
    for job in under_way:
        try:
            job.wait()
        except WorkbenchError:
            continue  # told by its edge
