"""Whether a package is what it says: its files against their sums, and what they say of the model against the model."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from workbench.core.artifact import MANIFEST
from workbench.package.facts import CARD, FACTS, SIGNATURE, SUMS, VERDICT, PackageFacts
from workbench.package.model_files import model_sha256

if TYPE_CHECKING:
    from workbench.package.contents import Contents

_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
_UNSUMMED = (SUMS, SIGNATURE)


def write_sums(sums: dict[str, str]) -> bytes:
    """Return what `sha256sum -c` reads."""
    return "".join(f"{sums[name]}  {name}\n" for name in sorted(sums)).encode()


def check_sums(found: Contents) -> None:
    """Hold each file to the sum that was written of it."""
    said = _read_sums(found)
    if said is None:
        return
    for name in sorted(said.keys() - found.files.keys()) if found.whole else ():
        found.blame("missing", name, f"{name} is missing.")
    for name in sorted(found.files.keys() - said.keys() - {*_UNSUMMED}):
        found.blame("added", name, f"{name} was added: {SUMS} does not list it.")
    for name in sorted(said.keys() & found.files.keys()):
        if found.files[name] != said[name]:
            found.blame(
                "changed",
                name,
                f"{name} was changed: its sha256 must be {said[name][:12]}…, got {found.files[name][:12]}….",
            )


def check_model(found: Contents) -> PackageFacts | None:
    """Hold the model to its manifest, and the manifest, the card and the verdict to each other; return the facts."""
    facts = _facts(found)
    if facts is None:
        return None
    manifest, card = _document(found, f"{facts.folder}/{MANIFEST}"), _document(found, CARD)
    inside = f"{facts.folder}/"
    files = {name.removeprefix(inside): found.files[name] for name in found.files if name.startswith(inside)}
    files.pop(MANIFEST, None)
    if found.whole and facts.sha256 not in model_sha256(files, facts.file):
        found.blame(
            "contradiction", inside, f"{inside} does not hold the model {facts.sha256[:12]}… that {FACTS} names."
        )
    for name, said in ((f"{inside}{MANIFEST}", manifest.get("sha256")), (CARD, card.get("model"))):
        if said is not None and said != facts.sha256:
            found.blame("contradiction", name, f"{name} speaks of another model, {str(said)[:12]}…, than {FACTS}.")
    if VERDICT in found.texts and card and _document(found, VERDICT) != (card.get("verdict") or NO_VERDICT):
        found.blame("contradiction", VERDICT, f"{VERDICT} is not the verdict that {CARD} tells of.")
    return facts


NO_VERDICT: dict[str, Any] = {"passed": None, "lines": []}


def _read_sums(found: Contents) -> dict[str, str] | None:
    if SUMS not in found.files:
        if found.whole:
            found.blame("missing", SUMS, f"{SUMS} is missing, so that no file can be checked.")
        return None
    said: dict[str, str] = {}
    for number, line in enumerate(found.texts.get(SUMS, b"").decode(errors="replace").splitlines(), 1):
        match = _LINE.fullmatch(line)
        if match is None:
            found.blame(
                "changed", SUMS, f"{SUMS} was changed: line {number} must be a sha256 and a name, got {line[:80]!r}."
            )
        else:
            said[match[2]] = match[1]
    return said


def _facts(found: Contents) -> PackageFacts | None:
    if FACTS not in found.texts:
        return None  # a missing file was told of
    try:
        return PackageFacts.from_json(_document(found, FACTS))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "it"
        found.blame("contradiction", FACTS, f"{FACTS} does not tell what is packed ({where}: {first['msg'].lower()}).")
        return None


def _document(found: Contents, name: str) -> dict[str, Any]:
    try:
        value = json.loads(found.texts.get(name, b"{}"))
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict):
        return value
    found.blame("contradiction", name, f"{name} must hold a JSON object.")
    return {}
