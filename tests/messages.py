"""What pages say: all sentences of the interface, and the catalogues that translate them.

`python -m tests.messages` brings the catalogues up to date: new sentences are added untranslated, unused ones are
dropped, and what is translated is compiled.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import io
import pkgutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from workbench.core import language
from workbench.core.workspace import Workspace
from workbench.datasets.base import SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.panels.base import Panel
    from workbench.widgets.base import Leaf

PACKAGE = Path(language.__file__).parents[1]
FACES = ("figures", "widgets", "panels", "dashboards", "lessons")
MARKS = ("_", "N_")
_NO_DATE = datetime(2026, 1, 1, tzinfo=UTC)


class Recorder:
    """A catalogue that notes what it is asked, and marks it."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def gettext(self, text: str) -> str:
        self.asked.add(text)
        return f"⟦{text}⟧"


def catalogue_file(name: str) -> Path:
    return PACKAGE / "locale" / name / "LC_MESSAGES" / "workbench.po"


def read_catalogue(name: str) -> Catalog:
    file = catalogue_file(name)
    if not file.is_file():
        return Catalog(locale=name)
    found = read_po(io.BytesIO(file.read_bytes()), locale=name)
    found.creation_date = found.revision_date = _NO_DATE  # the same sentences are the same bytes
    return found


def compiled(catalogue: Catalog) -> bytes:
    buffer = io.BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def units(package: str, base: type) -> list[type]:
    """All classes of a base that a package's own modules define."""
    top = importlib.import_module(f"workbench.{package}")
    found = set()
    for each in pkgutil.iter_modules(top.__path__, f"workbench.{package}."):
        module = importlib.import_module(each.name)
        for _name, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, base) and kind is not base and kind.__module__ == each.name:
                found.add(kind)
    return sorted(found, key=lambda kind: kind.__name__)


def leaves() -> list[type[Leaf]]:
    from workbench.widgets.base import Leaf

    return units("widgets", Leaf)


def panels() -> list[type[Panel]]:
    from workbench.panels.base import Panel

    return units("panels", Panel)


def calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS:
            yield node


def written() -> set[str]:
    """Sentences that stand in the source."""
    found: set[str] = set()
    for face in FACES:
        for path in (PACKAGE / face).rglob("*.py"):
            for call in calls(path):
                if isinstance(call.args[0], ast.Constant):
                    found.add(str(call.args[0].value))
    for leaf in leaves():
        found.update(leaf.said)
    return found


def asked(home: Path, patched: Any) -> set[str]:
    """Sentences that all panels ask for when they are built: declarations, titles of recipes and datasets."""
    recorder = Recorder()
    patched(language, "_catalogue", lambda _name: recorder)
    for kind in panels():
        kind(workspace=Workspace(home)).close()
    # Which dataset a panel opens with, and so whose note it shows, is up to the machine.
    return recorder.asked | {SOURCES.get(name).note for name in SOURCES.names()}


def all_sentences() -> set[str]:
    with tempfile.TemporaryDirectory() as home:
        before = language._catalogue
        try:
            return (written() | asked(Path(home), setattr)) - {""}
        finally:
            language._catalogue = before


def update(name: str, sentences: set[str]) -> list[str]:
    """Write a catalogue anew and return what it does not translate yet."""
    old, new = read_catalogue(name), Catalog(locale=name, project="Lastmile Workbench", header_comment="# Chinese")
    for text in sorted(sentences):
        known = old.get(text)
        new.add(text, known.string if known is not None else "")
    file = catalogue_file(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    write_po(buffer, new, width=120, omit_header=True)
    file.write_bytes(buffer.getvalue())
    file.with_suffix(".mo").write_bytes(compiled(read_catalogue(name)))
    return [str(message.id) for message in new if message.id and not message.string]


if __name__ == "__main__":
    everything = all_sentences()
    for code in language.LANGUAGES[1:]:
        missing = update(code, everything)
        sys.stdout.write(f"{code}: {len(everything)} sentences, {len(missing)} not translated\n")
        sys.stdout.writelines(f"{text}\n" for text in missing)
