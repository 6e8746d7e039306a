"""`workbench package`: a model in one archive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from workbench.core.artifact import Artifact
    from workbench.core.records import Evaluation, Override, RoadReport, Verdict

app = typer.Typer(add_completion=False)


def _file(words: str) -> Any:
    return typer.Option(help=words, exists=True, dir_okay=False)


_SERVABLE = ("onnx", "tflite", "saved_model", "packed")


@app.command()
def package(  # noqa: PLR0913 - one a flag
    model: Annotated[
        str, typer.Argument(help="Artifact folder; with --report also a variant's name, or `smallest`, the smallest.")
    ],
    *,
    name: Annotated[str, typer.Option(help="Model name in URLs.")] = "model",
    model_version: Annotated[int, typer.Option(help="Its number.")] = 1,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="The archive (.tar.gz), or a folder for it, made where it is missing."),
    ] = Path(),
    report: Annotated[Path | None, _file("What `workbench run --json` printed: variants, verdicts.")] = None,
    verdict: Annotated[Path | None, _file("What the gate said, as JSON.")] = None,
    evaluation: Annotated[Path | None, _file("How this very model answers, as JSON.")] = None,
    sign: Annotated[Path | None, _file("Private key (PEM) to sign with.")] = None,
    override_by: Annotated[str, typer.Option(help="Who answers for a model that the gate refused.")] = "",
    override_why: Annotated[str, typer.Option(help="Why it is packed nevertheless.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
) -> None:
    """Write a model, its card and verdict, a client, and what containers and clusters need into one archive."""
    from workbench.core.records import Evaluation, Override, Verdict, read_record
    from workbench.package.bundle import package as pack
    from workbench.package.verify import verify

    artifact, judged, measured = _found(model, report)
    override: Override | None = Override(who=override_by, why=override_why) if override_by or override_why else None
    made = pack(
        artifact, _place(output), name=name, version=model_version, sign=sign, override=override,
        verdict=read_record(verdict, Verdict) if verdict else judged,
        evaluation=read_record(evaluation, Evaluation) if evaluation else measured,
    )  # fmt: skip
    check = verify(made)
    if as_json:
        typer.echo(json.dumps({"path": str(made), "sha256": check.sha256, "files": check.files, "bytes": check.bytes}))
        return
    typer.echo(f"{made}  {made.stat().st_size:,} bytes, {check.files} files")
    typer.echo(f"sha256  {check.sha256}")


def _place(output: Path) -> Path:
    if not output.name.endswith((".tar.gz", ".tgz")):
        from workbench.core.workspace import writing

        with writing(output):
            output.mkdir(parents=True, exist_ok=True)
    return output


def _found(model: str, report: Path | None) -> tuple[Artifact, Verdict | None, Evaluation | None]:
    from workbench.core.artifact import Artifact

    if report is None:
        if model == "smallest" and not Path(model).exists():
            from workbench.core.errors import BadInputError

            raise BadInputError.of(
                "model", rule="must be an artifact folder where no --report is given", got=model,
                hint="`workbench run --json > report.json` writes one",
            )  # fmt: skip
        return Artifact.load(Path(model).expanduser()), None, None
    run = _report(report)
    rows = {row.name: row for row in run.variants if row.format in _SERVABLE}
    if model == "smallest" and rows:
        row = min(rows.values(), key=lambda each: each.sizes.gzip)
    elif model in rows:
        row = rows[model]
    else:
        from workbench.core.errors import BadInputError

        known = ", ".join(map(repr, rows)) or "none"
        raise BadInputError.of("model", rule=f"must be `smallest` or one of {known} of the report", got=model)
    artifact = Artifact.load(row.artifact)
    return artifact, row.verdict, run.evaluation if run.evaluation.model == artifact.sha256 else None


def _report(path: Path) -> RoadReport:
    from workbench.core.errors import BadInputError, WorkspaceError
    from workbench.core.records import RoadReport
    from workbench.core.workspace import read_json

    try:
        found = read_json(path)
        # The command adds where its page is.
        return RoadReport.from_json({key: found[key] for key in found if key in RoadReport.model_fields})
    except (TypeError, ValueError, WorkspaceError):
        raise BadInputError.of("report", rule="must be what `workbench run --json` printed", got=str(path)) from None
