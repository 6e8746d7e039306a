"""`workbench verify`: whether a package is as it was packed."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer reads it
from typing import Annotated

import typer

app = typer.Typer(add_completion=False)

_SIGNED = {
    "none": "nobody signed it",
    "unchecked": "there is one, not checked; --key PUBLIC.pem checks it",
    "valid": "valid",
    "wrong": "does not hold",
}


@app.command()
def verify(
    package: Annotated[Path, typer.Argument(help="Archive, or the folder that it unpacks to.")],
    *,
    key: Annotated[Path | None, typer.Option(help="Public key (PEM) of who must have signed it.")] = None,
    sha256: Annotated[str | None, typer.Option(help="What the archive must have, from a place that you trust.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
) -> None:
    """Check a package file by file and say exactly what was changed; exit code 1 where anything was."""
    from workbench.package.verify import verify as check

    found = check(package, key=key, sha256=sha256)
    if as_json:
        typer.echo(json.dumps({"passed": found.passed, **found.to_json()}))
    else:
        what = f"{found.name}, version {found.version}: " if found.version is not None else ""
        typer.echo(f"{what}{found.files} files, {found.bytes:,} bytes")
        typer.echo(f"sha256     {found.sha256 or 'a folder has none'}")
        typer.echo(f"signature  {_SIGNED[found.signature]}")
        for fault in found.faults:
            typer.echo(f"{fault.kind:<13} {fault.reason}")
        typer.echo(
            "Every file is as it was packed." if found.passed else f"{len(found.faults)} fault(s): do not use it."
        )
    raise typer.Exit(0 if found.passed else 1)
